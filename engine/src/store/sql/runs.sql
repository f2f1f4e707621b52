-- $1: status or null. $2: specimen or null. $3: submission or null. $4: limit. Newest first.
select * from run
 where ($1 is null or status = $1)
   and ($2 is null or specimen_id = $2)
   and ($3 is null or submission_id = $3)
 order by created_us desc, run_id desc
 limit $4
