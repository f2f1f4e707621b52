-- A package is written once: given again, it is what it was.
-- $1: rows, a JSON object of objects with the columns' names.
insert into package_file (delivery_id, path, size, sha256, md5, artifact, header, plain_size, plain_md5, content, created_us)
select m.value ->> 'delivery_id',
       m.value ->> 'path',
       cast(m.value ->> 'size' as bigint),
       m.value ->> 'sha256',
       m.value ->> 'md5',
       m.value ->> 'artifact',
       m.value ->> 'header',
       cast(m.value ->> 'plain_size' as bigint),
       m.value ->> 'plain_md5',
       m.value ->> 'content',
       cast(m.value ->> 'created_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (delivery_id, path) do nothing
