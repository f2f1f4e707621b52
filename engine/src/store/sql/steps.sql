-- $1: run id. In plan order.
select * from step where run_id = $1 order by position, step_key
