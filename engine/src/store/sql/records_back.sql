-- Records of a kind, the last id first: ids that begin with a date, the newest first.
-- $1: kind. $2: only ids before this one, or null. $3: limit.
select * from record where kind = $1 and ($2 is null or record_id < $2) order by record_id desc limit $3
