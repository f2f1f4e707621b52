-- Deliveries that wait for their receipt, by when it is due: what is late is found without looking at what was answered.
-- `(…) is true`: see migration 4.
create index record_receipt_due on record (cast(document ->> 'receipt_due_us' as bigint), record_id)
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')) is true;
