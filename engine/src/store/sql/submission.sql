-- $1: submission id.
select * from submission where submission_id = $1
