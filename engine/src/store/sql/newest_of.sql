-- The newest records of a kind that belong to one; ids sort by time. $1: kind. $2: whose. $3: limit.
select * from record where kind = $1 and parent = $2 order by record_id desc limit $3
