-- These steps of a run, in plan order.
-- $1: run id. $2: step keys, a JSON object of objects with `id`.
select s.*
  from json_each($2) as m
  join step as s on s.run_id = $1 and s.step_key = m.value ->> 'id'
 order by s.position, s.step_key
