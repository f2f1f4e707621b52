-- Specimens that nothing was ever ordered for, by id. $1: owner or null. $2: only ids after this one. $3: limit.
select record_id as id,
       kind as what,
       owner as institution,
       status as word,
       parent,
       document,
       created_us as since_us,
       cast(9223372036854775807 as bigint) as due_us
  from record
 where (kind = 'specimen' and ordered = 0) is true
   and record_id > $2
   and ($1 is null or owner = $1)
 order by record_id
 limit $3
