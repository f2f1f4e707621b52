-- What attempts that are not at their end have asked for, by executor. No parameters.
select executor,
       status,
       count(*) as count,
       cast(sum(coalesce(cast(task ->> 'cpus' as bigint), 0)) as bigint) as cpus,
       cast(sum(coalesce(cast(task ->> 'memory_bytes' as bigint), 0)) as bigint) as memory_bytes
  from attempt
 where status not in ('committed', 'failed', 'canceled', 'quarantined')
 group by executor, status
