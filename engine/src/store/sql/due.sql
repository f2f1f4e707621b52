-- due
-- Order lines whose whole order is due by then, the longest ago first. $1: until then, microseconds. $2: limit.
select * from order_line
 where (stage not in ('awaiting_material', 'acknowledged', 'archived', 'closed_failed', 'withdrawn', 'canceled')) is true
   and due_us <= $1
 order by due_us, order_line_id
 limit $2
