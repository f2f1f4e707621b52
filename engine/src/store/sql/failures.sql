-- Attempts that failed, the newest first. $1: only what failed then or later, microseconds. $2: cause or null. $3: workflow or null.
-- $4: step or null. $5, $6: only what comes after this time and attempt. $7: limit.
select a.attempt_id,
       a.run_id,
       a.step_key,
       a.number,
       a.executor,
       a.cause,
       a.updated_us,
       r.specimen_id,
       w.workflow_id,
       w.version as workflow_version
  from attempt as a
  join run as r on r.run_id = a.run_id
  join workflow as w on w.digest = r.digest
  join step as s on s.run_id = a.run_id and s.step_key = a.step_key
 where a.cause <> ''
   and a.updated_us >= $1
   and (a.updated_us, a.attempt_id) < ($5, $6)
   and ($2 is null or a.cause = $2)
   and ($3 is null or w.workflow_id = $3)
   and ($4 is null or s.step = $4)
 order by a.updated_us desc, a.attempt_id desc
 limit $7
