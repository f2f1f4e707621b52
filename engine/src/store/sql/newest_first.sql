-- Records of a kind whose ids sort by time, the newest first. $1: kind. $2: status or null. $3: only ids before this one. $4: limit.
select *
  from record
 where kind = $1
   and ($2 is null or status = $2)
   and record_id < $3
 order by record_id desc
 limit $4
