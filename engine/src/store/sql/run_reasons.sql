-- Steps that say why their run stands where it stands, in plan order.
-- $1: runs, a JSON object of objects with `id`.
select s.run_id, s.step_key, s.status, s.detail
  from json_each($1) as m
  join step as s on s.run_id = m.value ->> 'id'
 where s.status in ('failed', 'awaiting_person')
    or (s.status in ('ready', 'running') and s.detail ->> 'reason' is not null)
 order by s.run_id, s.position, s.step_key
