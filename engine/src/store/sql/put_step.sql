-- Steps, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into step (run_id, step_key, position, step, status, outputs, detail, updated_us, version)
select m.value ->> 'run_id',
       m.value ->> 'step_key',
       cast(m.value ->> 'position' as bigint),
       m.value ->> 'step',
       m.value ->> 'status',
       m.value ->> 'outputs',
       m.value ->> 'detail',
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint)
  from json_each($1) as m
 where true
    on conflict (run_id, step_key) do update
   set status = excluded.status,
       outputs = excluded.outputs,
       detail = excluded.detail,
       updated_us = excluded.updated_us,
       version = excluded.version
 where step.version = excluded.version - 1
