-- Records, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into record (kind, record_id, parent, specimen_id, owner, status, document, events, created_us, updated_us, version)
select m.value ->> 'kind',
       m.value ->> 'record_id',
       m.value ->> 'parent',
       m.value ->> 'specimen_id',
       m.value ->> 'owner',
       m.value ->> 'status',
       m.value ->> 'document',
       cast(m.value ->> 'events' as bigint),
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint)
  from json_each($1) as m
 where true
    on conflict (kind, record_id) do update
   set parent = excluded.parent,
       specimen_id = excluded.specimen_id,
       owner = excluded.owner,
       status = excluded.status,
       document = excluded.document,
       events = excluded.events,
       updated_us = excluded.updated_us,
       version = excluded.version
 where record.version = excluded.version - 1
