-- Facts, appended, each linked to the one before it.
-- $1: rows, a JSON object of objects with the columns' names.
insert into event (seq, stream, n, at_us, kind, subject, actor, role, body, hash)
select cast(m.value ->> 'seq' as bigint),
       m.value ->> 'stream',
       cast(m.value ->> 'n' as bigint),
       cast(m.value ->> 'at_us' as bigint),
       m.value ->> 'kind',
       m.value ->> 'subject',
       m.value ->> 'actor',
       m.value ->> 'role',
       m.value ->> 'body',
       m.value ->> 'hash'
  from json_each($1) as m
 where true
