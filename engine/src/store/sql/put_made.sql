-- Which attempt generated what: written once.
-- $1: rows, a JSON object of objects with the columns' names.
insert into made (attempt_id, run_id, step_key, output, position, name, sha256)
select m.value ->> 'attempt_id',
       m.value ->> 'run_id',
       m.value ->> 'step_key',
       m.value ->> 'output',
       cast(m.value ->> 'position' as bigint),
       m.value ->> 'name',
       m.value ->> 'sha256'
  from json_each($1) as m
 where true
