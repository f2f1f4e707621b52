-- newest_records
-- The newest records of a kind: ids sort by time. $1: kind. $2: limit.
select * from record where kind = $1 order by record_id desc limit $2
