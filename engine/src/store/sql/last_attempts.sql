-- The newest attempt of each of these steps.
-- $1: run id. $2: step keys, a JSON object of objects with `id`.
select a.*
  from json_each($2) as m
  join attempt as a
    on a.attempt_id = (select l.attempt_id
                         from attempt as l
                        where l.run_id = $1 and l.step_key = m.value ->> 'id'
                        order by l.round desc, l.number desc
                        limit 1)
