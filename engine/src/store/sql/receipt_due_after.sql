-- When the next receipt is due that something follows for, after $1; no row: none is.
select cast(document ->> 'receipt_due_us' as bigint) from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')) is true
   and cast(document ->> 'receipt_due_us' as bigint) > $1
   and document ->> 'if_late' is not null
 order by cast(document ->> 'receipt_due_us' as bigint)
 limit 1
