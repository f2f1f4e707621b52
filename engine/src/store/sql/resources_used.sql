-- What the newest attempts asked for, were granted and used, by workflow and step; only those that came to their end well. $1: how many are looked at.
-- What was granted is what was asked for where nobody says. held_mib_ms: memory that was held, MiB times ms; idle_core_ms: core time that was held and
-- not used; cores_used_milli: thousandths of a core in use on average, of the attempt that used most. Each attempt's own time counts.
select u.workflow_id,
       u.step,
       count(*) as count,
       max(u.memory_asked) as asked_most,
       max(u.memory_granted) as granted_most,
       max(u.rss) as used_most,
       sum(u.took_us) as took_us,
       sum(coalesce(u.memory_granted, u.memory_asked) / 1048576 * (u.took_us / 1000)) as held_mib_ms,
       max(u.cpus_asked) as cpus_asked_most,
       max(u.cpus_granted) as cpus_granted_most,
       max(case when u.took_us > 0 then u.cpu_ms * 1000000 / u.took_us else 0 end) as cores_used_milli,
       sum(case when coalesce(u.cpus_granted, u.cpus_asked) * (u.took_us / 1000) > u.cpu_ms
                then coalesce(u.cpus_granted, u.cpus_asked) * (u.took_us / 1000) - u.cpu_ms else 0 end) as idle_core_ms
  from (select w.workflow_id,
               s.step,
               coalesce(cast(a.task ->> 'memory_bytes' as bigint), 0) as memory_asked,
               cast(a.evidence -> 'granted' ->> 'memory_bytes' as bigint) as memory_granted,
               coalesce(cast(a.evidence -> 'record' ->> 'max_rss_bytes' as bigint), 0) as rss,
               coalesce(cast(a.task ->> 'cpus' as bigint), 0) as cpus_asked,
               cast(a.evidence -> 'granted' ->> 'cpus' as bigint) as cpus_granted,
               coalesce(cast(a.evidence -> 'record' ->> 'cpu_ms' as bigint), 0) as cpu_ms,
               coalesce(cast(a.evidence -> 'record' ->> 'ended_us' as bigint) - cast(a.evidence -> 'record' ->> 'started_us' as bigint), 0) as took_us
          from (select attempt_id, run_id, step_key, status, task, evidence from attempt order by attempt_id desc limit $1) as a
          join run as r on r.run_id = a.run_id
          join workflow as w on w.digest = r.digest
          join step as s on s.run_id = a.run_id and s.step_key = a.step_key
         where a.status = 'committed'
           and a.evidence <> '') as u
 group by u.workflow_id, u.step
