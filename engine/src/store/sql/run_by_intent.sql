-- $1: intent.
select * from run where intent = $1
