-- $1: run id. Oldest first.
select * from attempt where run_id = $1 order by created_us, attempt_id
