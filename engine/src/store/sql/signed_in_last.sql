-- When each of several people signed in last. $1: names, a JSON object of objects with `id`.
-- Ids of sessions begin with e and sort by time; a link that nobody opened is none yet.
select m.value ->> 'id' as name,
       (select r.created_us
          from record as r
         where r.kind = 'session'
           and r.parent = m.value ->> 'id'
           and substr(r.record_id, 1, 1) = 'e'
         order by r.record_id desc
         limit 1) as at_us
  from json_each($1) as m
