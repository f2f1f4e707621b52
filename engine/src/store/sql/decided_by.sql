-- What one person decided about order lines, the newest first. $1: who. $2: only ids before this one. $3: limit.
select *
  from record
 where (kind = 'decision') is true
   and document ->> 'person' = $1
   and record_id < $2
 order by record_id desc
 limit $3
