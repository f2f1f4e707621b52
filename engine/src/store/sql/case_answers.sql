-- Notices of a withdrawal that must be answered: how many, how many are, and when the last answer came. Those of earlier versions all
-- must be answered. $1: case.
select count(*) as asked,
       coalesce(sum(case when status = 'answered' then 1 else 0 end), 0) as answered,
       max(case when status = 'answered' then updated_us end) as last_us
  from record
 where kind = 'notice' and parent = $1 and coalesce(document ->> 'answer', 1) = 1
