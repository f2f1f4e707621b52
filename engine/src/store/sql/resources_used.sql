-- What the newest attempts asked for and used, by workflow and step; only those that came to their end well. $1: how many are looked at.
select w.workflow_id,
       s.step,
       count(*) as count,
       min(cast(a.task ->> 'memory_bytes' as bigint)) as asked_least,
       max(cast(a.task ->> 'memory_bytes' as bigint)) as asked_most,
       max(coalesce(cast(a.evidence -> 'record' ->> 'max_rss_bytes' as bigint), 0)) as used_most,
       sum(coalesce(cast(a.evidence -> 'record' ->> 'ended_us' as bigint) - cast(a.evidence -> 'record' ->> 'started_us' as bigint), 0)) as took_us
  from (select attempt_id, run_id, step_key, status, task, evidence from attempt order by attempt_id desc limit $1) as a
  join run as r on r.run_id = a.run_id
  join workflow as w on w.digest = r.digest
  join step as s on s.run_id = a.run_id and s.step_key = a.step_key
 where a.status = 'committed'
   and a.evidence <> ''
 group by w.workflow_id, s.step
