-- Records whose status says that something is omitted, by id. $1: owner or null. $2: only ids after this one. $3: limit.
-- $4: kind. $5: status.
select record_id as id,
       kind as what,
       owner as institution,
       status as word,
       parent,
       document,
       created_us as since_us,
       cast(9223372036854775807 as bigint) as due_us
  from record
 where kind = $4
   and status = $5
   and record_id > $2
   and ($1 is null or owner = $1)
 order by record_id
 limit $3
