-- Artifacts; the same content twice is one.
-- $1: rows, a JSON object of objects with the columns' names.
insert into artifact (sha256, size, dir, created_us, sealed)
select m.value ->> 'sha256',
       cast(m.value ->> 'size' as bigint),
       cast(m.value ->> 'dir' as bigint),
       cast(m.value ->> 'created_us' as bigint),
       m.value ->> 'sealed'
  from json_each($1) as m
 where true
    on conflict (sha256) do update set sealed = excluded.sealed
