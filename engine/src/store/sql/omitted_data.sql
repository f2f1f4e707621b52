-- Order lines that wait for data longer than expected, the longest ago first.
-- $1: institution or null. $2: only what follows this order line. $3: limit. $4: when it was expected there. $5: now, microseconds.
select order_line_id as id,
       'order_line' as what,
       institution,
       stage as word,
       participant_id as parent,
       '' as document,
       updated_us as since_us,
       expect_us as due_us
  from order_line
 where (stage in ('in_lab', 'sequencing', 'awaiting_top_up')) is true
   and expect_us <= $5
   and expect_us >= $4
   and (expect_us > $4 or order_line_id > $2)
   and ($1 is null or institution = $1)
 order by expect_us, order_line_id
 limit $3
