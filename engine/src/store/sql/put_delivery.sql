-- Deliveries; only status, place and manifest change.
-- $1: rows, a JSON object of objects with the columns' names.
insert into delivery (delivery_id, run_id, step_key, specimen_id, target, status, content, parcel, place, manifest_sha256, created_us, updated_us)
select m.value ->> 'delivery_id',
       m.value ->> 'run_id',
       m.value ->> 'step_key',
       m.value ->> 'specimen_id',
       m.value ->> 'target',
       m.value ->> 'status',
       m.value ->> 'content',
       m.value ->> 'parcel',
       m.value ->> 'place',
       m.value ->> 'manifest_sha256',
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (delivery_id) do update
   set status = excluded.status,
       place = excluded.place,
       manifest_sha256 = excluded.manifest_sha256,
       updated_us = excluded.updated_us
