-- Records of a kind that are an institution's, the last id first.
-- $1: kind. $2: only ids before this one, or null. $3: limit. $4: institution. $5: status or null.
select * from record
 where kind = $1
   and owner = $4
   and ($2 is null or record_id < $2)
   and ($5 is null or status = $5)
 order by record_id desc
 limit $3
