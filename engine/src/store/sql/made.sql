-- $1: run id.
select * from made where run_id = $1 order by step_key, output, position
