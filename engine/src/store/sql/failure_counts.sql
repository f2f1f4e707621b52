-- Attempts that failed, counted by cause, workflow and step; attempts of participants who have withdrawn count too: nothing of the
-- participant is told. $1: only what failed then or later, microseconds. $2: what counts as newer.
select a.cause,
       w.workflow_id,
       s.step,
       count(*) as count,
       sum(case when a.updated_us >= $2 then 1 else 0 end) as newer,
       count(distinct a.run_id) as runs,
       max(a.updated_us) as newest_us
  from attempt as a
  join run as r on r.run_id = a.run_id
  join workflow as w on w.digest = r.digest
  join step as s on s.run_id = a.run_id and s.step_key = a.step_key
 where a.cause <> ''
   and a.updated_us >= $1
 group by a.cause, w.workflow_id, s.step
