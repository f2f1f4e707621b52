-- needs_runs
-- Runs of no order line that failed, were called by no other, and after which nobody ran the specimen again. $1: limit.
select r.run_id, r.specimen_id, r.updated_us
  from run as r
 where r.status = 'failed'
   and r.order_line_id = ''
   and r.parent = 'null'
   and not exists (select 1 from run as n where n.specimen_id = r.specimen_id and n.run_id > r.run_id)
 limit $1
