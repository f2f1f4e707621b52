-- Deliveries whose receipt was due at $1 and is not there, and for which what the workflow wants then was not done yet, the longest late
-- first. $2: limit.
select record_id from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')) is true
   and cast(document ->> 'receipt_due_us' as bigint) <= $1
   and document ->> 'late_us' is null
   and document ->> 'if_late' is not null
 order by cast(document ->> 'receipt_due_us' as bigint)
 limit $2
