-- Every workflow that is known here, without its text. Newest first. No parameters.
select digest, workflow_id, version, path, registered, created_us from workflow order by created_us desc, digest
