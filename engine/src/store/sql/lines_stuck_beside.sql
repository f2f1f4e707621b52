-- Order lines whose expectation has lapsed, and whose whole time is not over by then either, the longest ago first.
-- $1, $2: only those after this time (microseconds) and id. $3: stage or null. $4: institution or null. $5: assay or null. $6: limit.
-- $7: now, microseconds. $8: only what is not due by then, or has no time that counts.
select * from order_line
 where expect_us <= $7
   and (expect_us, order_line_id) > ($1, $2)
   and ($3 is null or stage = $3)
   and ($4 is null or institution = $4)
   and ($5 is null or assay = $5)
   and (due_us > $8 or stage in ('awaiting_material', 'acknowledged', 'archived', 'closed_failed', 'withdrawn', 'canceled'))
 order by expect_us, order_line_id
 limit $6
