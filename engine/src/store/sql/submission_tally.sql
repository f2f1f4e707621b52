-- $1: submission id. Its runs by status; children of calls are not counted.
select status, count(*) from run where submission_id = $1 and parent = 'null' group by status
