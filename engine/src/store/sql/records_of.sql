-- $1: kind. $2: the record that they belong to.
select * from record where kind = $1 and parent = $2 order by record_id
