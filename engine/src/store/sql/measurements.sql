-- $1: run id.
select * from measurement where run_id = $1 order by step_key, metric, item
