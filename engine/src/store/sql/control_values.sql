-- Values of a tracked metric in the runs of one specimen, the newest run first; nothing of participants who have withdrawn.
-- `<> 0`, so that the planner looks each run up, and does not go through the metric's values of everybody for each of them.
-- $1: metric. $2: only what was measured then or later, microseconds. $3: workflow or null. $4: limit. $5: specimen.
select m.run_id,
       m.step_key,
       m.value,
       m.unit,
       m.verdict,
       m.at_us,
       r.specimen_id,
       r.order_line_id,
       w.workflow_id,
       w.version as workflow_version
  from run as r
  join measurement as m on m.run_id = r.run_id
  join workflow as w on w.digest = r.digest
  left join order_line as o on o.order_line_id = r.order_line_id
 where r.specimen_id = $5
   and m.metric = $1
   and m.item = ''
   and m.tracked <> 0
   and m.at_us >= $2
   and ($3 is null or w.workflow_id = $3)
   and coalesce(o.stage, '') <> 'withdrawn'
 order by r.run_id desc
 limit $4
