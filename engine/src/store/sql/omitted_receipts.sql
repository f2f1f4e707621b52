-- Deliveries whose receiver has not answered for every file in time, the longest ago first; no institution sees them.
-- $1: institution or null. $2: only what follows this delivery. $3: limit. $4: when its receipt was due. $5: now, microseconds.
select record_id as id,
       kind as what,
       '' as institution,
       status as word,
       owner as parent,
       document,
       created_us as since_us,
       cast(document ->> 'receipt_due_us' as bigint) as due_us
  from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')) is true
   and cast(document ->> 'receipt_due_us' as bigint) <= $5
   and cast(document ->> 'receipt_due_us' as bigint) >= $4
   and (cast(document ->> 'receipt_due_us' as bigint) > $4 or record_id > $2)
   and $1 is null
 order by cast(document ->> 'receipt_due_us' as bigint), record_id
 limit $3
