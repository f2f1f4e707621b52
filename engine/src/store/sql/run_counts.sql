-- run_counts
-- How many runs stand in each status. No parameters.
select status, count(*) as count
  from run
 group by status
