-- Notices that somebody outside has not answered in time, the longest ago first.
-- $1: owner or null. $2: only what follows this notice. $3: limit. $4: when its answer was due. $5: now, microseconds.
select record_id as id,
       kind as what,
       owner as institution,
       status as word,
       parent,
       document,
       created_us as since_us,
       cast(document ->> 'due_us' as bigint) as due_us
  from record
 where (kind = 'notice' and status = 'pending') is true
   and cast(document ->> 'due_us' as bigint) <= $5
   and cast(document ->> 'due_us' as bigint) >= $4
   and (cast(document ->> 'due_us' as bigint) > $4 or record_id > $2)
   and ($1 is null or owner = $1)
 order by cast(document ->> 'due_us' as bigint), record_id
 limit $3
