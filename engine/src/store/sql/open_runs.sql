-- Runs that are not at their end, in the order in which they may start. No parameters.
select run_id from run where status in ('queued', 'running', 'canceling') order by priority desc, created_us, run_id
