-- $1: specimen or null. $2: target or null. $3: status or null. $4: only ids before this one, or null. $5: limit.
-- Newest first: ids sort by time.
select * from delivery
 where ($1 is null or specimen_id = $1)
   and ($2 is null or target = $2)
   and ($3 is null or status = $3)
   and ($4 is null or delivery_id < $4)
 order by delivery_id desc
 limit $5
