-- $1: now, microseconds. $2: institution or null. $3: limit. The longest lapsed first.
select * from order_line
 where expect_us <= $1
   and ($2 is null or institution = $2)
 order by expect_us, order_line_id
 limit $3
