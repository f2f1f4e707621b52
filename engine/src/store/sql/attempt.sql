-- $1: attempt id.
select * from attempt where attempt_id = $1
