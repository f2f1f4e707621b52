-- What a sheet says about specimens; the last word wins.
-- $1: rows, a JSON object of objects with the columns' names.
insert into specimen (specimen_id, document, source, created_us, updated_us)
select m.value ->> 'specimen_id',
       m.value ->> 'document',
       m.value ->> 'source',
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (specimen_id) do update
   set document = excluded.document,
       source = excluded.source,
       updated_us = excluded.updated_us
