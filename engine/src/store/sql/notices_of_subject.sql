-- Notices that say one thing, the newest first. $1: status or null. $2: 1 for those of withdrawals too, else 0.
-- $3: only ids before this one. $4: limit. $5: what they say.
select *
  from record
 where (kind = 'notice') is true
   and document ->> 'subject' = $5
   and ($1 is null or status = $1)
   and ($2 = 1 or document ->> 'subject' not in ('withdrawal', 'scope_change'))
   and record_id < $3
 order by record_id desc
 limit $4
