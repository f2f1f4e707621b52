-- $1: intent.
select * from submission where intent = $1
