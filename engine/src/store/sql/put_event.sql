-- Facts, appended.
-- $1: rows, a JSON object of objects with the columns' names.
insert into event (run_id, n, at_us, kind, subject, actor, body)
select m.value ->> 'run_id',
       cast(m.value ->> 'n' as bigint),
       cast(m.value ->> 'at_us' as bigint),
       m.value ->> 'kind',
       m.value ->> 'subject',
       m.value ->> 'actor',
       m.value ->> 'body'
  from json_each($1) as m
 where true
