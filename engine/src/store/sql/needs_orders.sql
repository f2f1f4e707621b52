-- needs_orders
-- Order lines of a stage that nobody holds, those that have been there longest first. $1: stage. $2: limit.
select order_line_id, specimen_id, run_id, coalesce(cast(document -> 'since' ->> stage as bigint), created_us) as since_us
  from order_line
 where stage = $1
   and hold = 'null'
 order by coalesce(cast(document -> 'since' ->> stage as bigint), created_us)
 limit $2
