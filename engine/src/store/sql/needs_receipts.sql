-- needs_receipts
-- Deliveries whose receipt was due by now and is not there. $1: now, microseconds. $2: limit.
select * from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')) is true
   and cast(document ->> 'receipt_due_us' as bigint) <= $1
 order by cast(document ->> 'receipt_due_us' as bigint), record_id
 limit $2
