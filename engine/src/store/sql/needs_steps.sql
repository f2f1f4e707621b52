-- needs_steps
-- Steps of open runs that wait for a person's answer. $1: limit.
select r.run_id, r.specimen_id, r.order_line_id, s.step_key, s.detail, s.updated_us
  from run as r
 cross join step as s on s.run_id = r.run_id
 where r.status = 'running'
   and r.hold = 'null'
   and s.status = 'awaiting_person'
 limit $1
