-- board_middle
-- Since when one order line of a stage stands there, in the order of their ages. $1: stage. $2: how many older ones are skipped.
select coalesce(cast(document -> 'since' ->> stage as bigint), created_us) as since_us
  from order_line
 where stage = $1
 order by coalesce(cast(document -> 'since' ->> stage as bigint), created_us)
 limit 1 offset $2
