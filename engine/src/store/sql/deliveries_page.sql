-- $1: specimen or null. $2: target or null. $3: status or null. $4: only ids before this one, or null. $5: limit.
-- $6: only those whose receipt was due before this time and is not there, or null.
-- Newest first: ids sort by time. What the receiver said counts more than what the step did.
select d.delivery_id, d.run_id, d.step_key, d.specimen_id, d.target, coalesce(r.status, d.status) as status, d.content, d.parcel, d.place,
       d.manifest_sha256, d.created_us, coalesce(r.updated_us, d.updated_us) as updated_us
  from delivery as d
  left join record as r on r.kind = 'delivery' and r.record_id = d.delivery_id
 where ($1 is null or d.specimen_id = $1)
   and ($2 is null or d.target = $2)
   and ($3 is null or coalesce(r.status, d.status) = $3)
   and ($4 is null or d.delivery_id < $4)
   and ($6 is null or (r.status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')
        and cast(r.document ->> 'receipt_due_us' as bigint) < $6))
 order by d.delivery_id desc
 limit $5
