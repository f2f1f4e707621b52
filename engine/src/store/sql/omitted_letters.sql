-- Notices of which a letter was given up, by id. $1: owner or null. $2: only ids after this one. $3: limit.
-- $4: 1 for those of withdrawals too, else 0.
select record_id as id,
       kind as what,
       owner as institution,
       status as word,
       parent,
       document,
       updated_us as since_us,
       cast(9223372036854775807 as bigint) as due_us
  from record
 where kind = 'notice'
   and status = 'undelivered'
   and record_id > $2
   and ($1 is null or owner = $1)
   and ($4 = 1 or document ->> 'subject' not in ('withdrawal', 'scope_change'))
 order by record_id
 limit $3
