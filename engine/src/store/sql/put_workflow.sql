-- Keeps a workflow's text; registering it later only sets the flag.
-- $1: rows, a JSON object of objects with the columns' names.
insert into workflow (digest, workflow_id, version, path, source, called, registered, created_us)
select m.value ->> 'digest',
       m.value ->> 'workflow_id',
       m.value ->> 'version',
       m.value ->> 'path',
       m.value ->> 'source',
       m.value ->> 'called',
       cast(m.value ->> 'registered' as bigint),
       cast(m.value ->> 'created_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (digest) do update
   set registered = case when excluded.registered > workflow.registered then excluded.registered else workflow.registered end
