-- Records of a kind whose id begins so, by id. $1: kind. $2: the beginning. $3: limit.
select * from record where kind = $1 and record_id >= $2 and record_id < $2 || '~' order by record_id limit $3
