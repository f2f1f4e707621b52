-- $1: run id.
select * from run where run_id = $1
