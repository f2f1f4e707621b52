-- Runs that made an artifact for somebody else, or are still at work on it: id and status, ten at most.
-- $1: SHA-256. $2: specimen. $3: order line, may be empty. A run whose own delivery of it has retired needs it no more.
select distinct run.run_id, run.status
  from made
  join run on run.run_id = made.run_id
 where made.sha256 = $1
   and (run.status not in ('succeeded', 'failed', 'canceled')
        or (not (run.specimen_id = $2 and run.order_line_id = $3)
            and not exists (select 1
                              from record as r
                              join package_file as f on f.delivery_id = r.record_id and f.artifact = $1
                             where r.kind = 'delivery' and r.parent = run.run_id and r.status = 'retired')))
 order by run.run_id
 limit 10
