-- $1: stage or null. $2: institution or null. $3: only ids after this one. $4: limit.
select * from order_line
 where ($1 is null or stage = $1)
   and ($2 is null or institution = $2)
   and order_line_id > $3
 order by order_line_id
 limit $4
