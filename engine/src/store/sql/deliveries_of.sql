-- $1: run id.
select * from delivery where run_id = $1 order by created_us
