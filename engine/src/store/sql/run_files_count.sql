-- How many files a run made.
-- $1: run id.
select count(*) from made where run_id = $1
