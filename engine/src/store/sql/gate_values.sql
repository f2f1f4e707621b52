-- Values of a tracked metric, the newest first; nothing of participants who have withdrawn.
-- $1: metric. $2: only what was measured then or later, microseconds. $3: workflow or null. $4: limit.
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
  from measurement as m
  join run as r on r.run_id = m.run_id
  join workflow as w on w.digest = r.digest
  left join order_line as o on o.order_line_id = r.order_line_id
 where m.metric = $1
   and m.item = ''
   and m.tracked = 1
   and m.at_us >= $2
   and ($3 is null or w.workflow_id = $3)
   and coalesce(o.stage, '') <> 'withdrawn'
 order by m.at_us desc
 limit $4
