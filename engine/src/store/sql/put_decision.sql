-- People's decisions, appended.
-- $1: rows, a JSON object of objects with the columns' names.
insert into decision (decision_id, run_id, step_key, kind, verdict, reason, person, roles, bound, at_us)
select m.value ->> 'decision_id',
       m.value ->> 'run_id',
       m.value ->> 'step_key',
       m.value ->> 'kind',
       m.value ->> 'verdict',
       m.value ->> 'reason',
       m.value ->> 'person',
       m.value ->> 'roles',
       m.value ->> 'bound',
       cast(m.value ->> 'at_us' as bigint)
  from json_each($1) as m
 where true
