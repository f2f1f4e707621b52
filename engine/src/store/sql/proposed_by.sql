-- What one person proposed, the newest first. $1: who. $2: only ids before this one. $3: limit.
select *
  from record
 where (kind = 'proposal') is true
   and document ->> 'proposed_by' = $1
   and record_id < $2
 order by record_id desc
 limit $3
