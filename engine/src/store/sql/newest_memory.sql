-- Memory that the newest attempts asked for and what they used of it, bytes, over those that say both. $1: how many are looked at.
select coalesce(sum(asked), 0) as asked, coalesce(sum(used), 0) as used, count(*) as count
  from (select cast(task ->> 'memory_bytes' as bigint) as asked,
               cast(nullif(evidence, '') -> 'record' ->> 'max_rss_bytes' as bigint) as used
          from attempt
         order by attempt_id desc
         limit $1) as newest
 where asked > 0
   and used > 0
