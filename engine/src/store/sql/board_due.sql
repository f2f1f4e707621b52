-- board_due
-- How many order lines are late, how many are due soon, and how many of both have lapsed beside. $1: now. $2: soon is until then.
select coalesce(sum(case when due_us <= $1 then 1 else 0 end), 0) as late,
       coalesce(sum(case when due_us > $1 then 1 else 0 end), 0) as soon,
       coalesce(sum(case when expect_us <= $1 then 1 else 0 end), 0) as lapsed
  from order_line
 where (stage not in ('awaiting_material', 'acknowledged', 'archived', 'closed_failed', 'withdrawn', 'canceled')) is true
   and due_us <= $2
