-- Order lines, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into order_line (order_line_id, specimen_id, participant_id, institution, program, assay, assay_version, stage, round, priority, hold, run_id, expect_us, due_us, document, events, created_us, updated_us, version)
select m.value ->> 'order_line_id',
       m.value ->> 'specimen_id',
       m.value ->> 'participant_id',
       m.value ->> 'institution',
       m.value ->> 'program',
       m.value ->> 'assay',
       m.value ->> 'assay_version',
       m.value ->> 'stage',
       cast(m.value ->> 'round' as bigint),
       cast(m.value ->> 'priority' as bigint),
       m.value ->> 'hold',
       m.value ->> 'run_id',
       cast(m.value ->> 'expect_us' as bigint),
       cast(m.value ->> 'due_us' as bigint),
       m.value ->> 'document',
       cast(m.value ->> 'events' as bigint),
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint)
  from json_each($1) as m
 where true
    on conflict (order_line_id) do update
   set specimen_id = excluded.specimen_id,
       assay_version = excluded.assay_version,
       stage = excluded.stage,
       round = excluded.round,
       priority = excluded.priority,
       hold = excluded.hold,
       run_id = excluded.run_id,
       expect_us = excluded.expect_us,
       due_us = excluded.due_us,
       document = excluded.document,
       events = excluded.events,
       updated_us = excluded.updated_us,
       version = excluded.version
 where order_line.version = excluded.version - 1
