-- Offers whose time was over at $1 and that are still said to be open, oldest first. $2: limit.
select record_id from record
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged', 'refused')) is true
   and cast(document ->> 'expires_us' as bigint) <= $1
 order by cast(document ->> 'expires_us' as bigint)
 limit $2
