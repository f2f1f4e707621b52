-- These steps of a run, in plan order.
-- $1: run id. $2: step keys, a JSON object of objects with `id`.
select s.*
  from step as s
 where s.run_id = $1
   and s.step_key in (select m.value ->> 'id' from json_each($2) as m)
 order by s.position, s.step_key
