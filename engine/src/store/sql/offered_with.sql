-- Open deliveries of a receiver that hold a file with these bytes, newest first: id and path.
-- $1: SHA-256 of the file as it leaves. $2: data center. A file that is in every package has many rows: the receiver's own count.
select f.delivery_id, f.path
  from package_file as f
 cross join record as r
 where f.sha256 = $1
   and r.kind = 'delivery'
   and r.record_id = f.delivery_id
   and r.owner = $2
   and r.status in ('offered', 'pulling', 'delivered', 'partly_acknowledged', 'acknowledged', 'refused')
 order by f.delivery_id desc, f.path
 limit 100
