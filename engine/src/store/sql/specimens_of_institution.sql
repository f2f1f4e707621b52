-- Specimens of an institution, by id.
-- $1: only ids after this one. $2: the beginning of an id; may be empty. $3: stage or null. $4: institution or null. $5: program or null.
-- $6: limit.
select * from record
 where (kind = 'specimen') is true and owner = $4
   and record_id > $1
   and record_id >= $2
   and record_id < $2 || '~'
   and ($3 is null or $3 = '')
   and ($4 is null or owner = $4)
   and ($5 is null or document ->> 'program' = $5)
 order by record_id
 limit $6
