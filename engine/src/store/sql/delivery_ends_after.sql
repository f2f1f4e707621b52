-- When the next offer ends, after $1; no row: none does.
select cast(document ->> 'expires_us' as bigint) from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged', 'refused')) is true
   and cast(document ->> 'expires_us' as bigint) > $1
 order by cast(document ->> 'expires_us' as bigint)
 limit 1
