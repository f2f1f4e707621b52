-- $1: beginning of a run id (letters and digits only).
select * from run where run_id >= $1 and run_id < $1 || '~' order by run_id limit 2
