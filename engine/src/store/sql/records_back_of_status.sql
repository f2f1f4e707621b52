-- Records of a kind with a status, the last id first.
-- $1: kind. $2: only ids before this one, or null. $3: limit. $4: status.
select * from record where kind = $1 and status = $4 and ($2 is null or record_id < $2) order by record_id desc limit $3
