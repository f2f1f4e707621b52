-- Notices to one receiver, the newest first. $1: status or null. $2: 1 for those of withdrawals too, else 0. $3: only ids before this one.
-- $4: limit. $5: institution, target or `biobank`. $6: what they say, or null.
select *
  from record
 where (kind = 'notice') is true
   and document ->> 'to' = $5
   and ($1 is null or status = $1)
   and ($2 = 1 or document ->> 'subject' not in ('withdrawal', 'scope_change'))
   and ($6 is null or document ->> 'subject' = $6)
   and record_id < $3
 order by record_id desc
 limit $4
