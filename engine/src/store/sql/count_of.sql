-- How many records of a kind belong to another. $1: kind. $2: the record that they belong to.
select count(*) from record where kind = $1 and parent = $2
