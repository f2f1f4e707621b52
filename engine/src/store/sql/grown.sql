-- What came into the store: files and bytes by day (days since the epoch, UTC). $1: since then, microseconds.
select created_us / 86400000000 as day,
       count(*) as files,
       cast(sum(size) as bigint) as bytes
  from artifact
 where created_us >= $1
 group by created_us / 86400000000
 order by day
