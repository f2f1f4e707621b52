-- Attempts of one step, oldest first.
-- $1: run id. $2: step key.
select * from attempt where run_id = $1 and step_key = $2 order by round, number
