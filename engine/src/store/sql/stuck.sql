-- $1: now, microseconds. $2: institution or null. $3: limit. $4, $5: only those after this time (microseconds) and id. The longest lapsed
-- first.
select * from order_line
 where expect_us <= $1
   and (expect_us, order_line_id) > ($4, $5)
   and ($2 is null or institution = $2)
 order by expect_us, order_line_id
 limit $3
