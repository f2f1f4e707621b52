-- Gate values; a gate read again after a retry replaces them.
-- $1: rows, a JSON object of objects with the columns' names.
insert into measurement (run_id, step_key, metric, item, value, unit, verdict, tracked, at_us)
select m.value ->> 'run_id',
       m.value ->> 'step_key',
       m.value ->> 'metric',
       m.value ->> 'item',
       m.value ->> 'value',
       m.value ->> 'unit',
       m.value ->> 'verdict',
       cast(m.value ->> 'tracked' as bigint),
       cast(m.value ->> 'at_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (run_id, step_key, metric, item) do update
   set value = excluded.value,
       unit = excluded.unit,
       verdict = excluded.verdict,
       tracked = excluded.tracked,
       at_us = excluded.at_us
