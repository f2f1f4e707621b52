-- $1: kind. $2: id.
select * from record where kind = $1 and record_id = $2
