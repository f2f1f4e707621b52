-- board_due
-- How many order lines of each stage are late, how many are due soon, and how many of both have lapsed beside.
-- $1: now. $2: soon is until then. The `|| ''` keeps the planner from walking every order line in the order of its stage.
select stage || '' as stage,
       sum(case when due_us <= $1 then 1 else 0 end) as late,
       sum(case when due_us > $1 then 1 else 0 end) as soon,
       sum(case when expect_us <= $1 then 1 else 0 end) as lapsed
  from order_line
 where (stage not in ('awaiting_material', 'acknowledged', 'archived', 'closed_failed', 'withdrawn', 'canceled')) is true
   and due_us <= $2
 group by stage || ''
