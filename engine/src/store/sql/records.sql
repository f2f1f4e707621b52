-- $1: kind. $2: status or null. $3: owner or null. $4: only ids after this one. $5: limit.
select * from record
 where kind = $1
   and ($2 is null or status = $2)
   and ($3 is null or owner = $3)
   and record_id > $4
 order by record_id
 limit $5
