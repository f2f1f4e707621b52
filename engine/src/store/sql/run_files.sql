-- Files that a run made, by step.
-- $1: run id. $2: only this logical step, or null. $3, $4, $5: only files behind this step key, output and position. $6: limit.
select m.attempt_id, m.step_key, m.output, m.position, m.name, m.sha256, a.size, a.dir, a.sealed
  from made as m
  join artifact as a on a.sha256 = m.sha256
 where m.run_id = $1
   and ($2 is null or m.step_key = $2 or (m.step_key > $2 || '/' and m.step_key < $2 || '0'))
   and (m.step_key, m.output, m.position) > ($3, $4, $5)
 order by m.step_key, m.output, m.position
 limit $6
