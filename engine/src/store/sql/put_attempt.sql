-- Attempts, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into attempt (attempt_id, run_id, step_key, number, round, status, executor, task, expected, cause, evidence, log_bytes, epoch, created_us, updated_us, version)
select m.value ->> 'attempt_id',
       m.value ->> 'run_id',
       m.value ->> 'step_key',
       cast(m.value ->> 'number' as bigint),
       cast(m.value ->> 'round' as bigint),
       m.value ->> 'status',
       m.value ->> 'executor',
       m.value ->> 'task',
       m.value ->> 'expected',
       m.value ->> 'cause',
       m.value ->> 'evidence',
       cast(m.value ->> 'log_bytes' as bigint),
       cast(m.value ->> 'epoch' as bigint),
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint)
  from json_each($1) as m
 where true
    on conflict (attempt_id) do update
   set status = excluded.status,
       cause = excluded.cause,
       evidence = excluded.evidence,
       log_bytes = excluded.log_bytes,
       epoch = excluded.epoch,
       updated_us = excluded.updated_us,
       version = excluded.version
 where attempt.version = excluded.version - 1
