-- Runs, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into run (run_id, submission_id, intent, specimen_id, digest, status, hold, priority, parent, plan, steps_left, attempts_made, events, submitted_by, created_us, updated_us, version, order_line_id, participant_id)
select m.value ->> 'run_id',
       m.value ->> 'submission_id',
       m.value ->> 'intent',
       m.value ->> 'specimen_id',
       m.value ->> 'digest',
       m.value ->> 'status',
       m.value ->> 'hold',
       cast(m.value ->> 'priority' as bigint),
       m.value ->> 'parent',
       m.value ->> 'plan',
       cast(m.value ->> 'steps_left' as bigint),
       cast(m.value ->> 'attempts_made' as bigint),
       cast(m.value ->> 'events' as bigint),
       m.value ->> 'submitted_by',
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint),
       m.value ->> 'order_line_id',
       m.value ->> 'participant_id'
  from json_each($1) as m
 where true
    on conflict (run_id) do update
   set status = excluded.status,
       hold = excluded.hold,
       steps_left = excluded.steps_left,
       attempts_made = excluded.attempts_made,
       events = excluded.events,
       updated_us = excluded.updated_us,
       version = excluded.version
 where run.version = excluded.version - 1
