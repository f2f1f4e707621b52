-- Workflows that are known here, without their text, newest first. $1, $2: only those before this time (microseconds), or of it and behind
-- this digest. $3: limit.
select digest, workflow_id, version, path, registered, created_us
  from workflow
 where created_us <= $1
   and (created_us < $1 or digest > $2)
 order by created_us desc, digest
 limit $3
