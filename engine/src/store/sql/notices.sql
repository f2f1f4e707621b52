-- Notices, the newest first. $1: status or null. $2: 1 for those of withdrawals too, else 0. $3: only ids before this one, or null.
-- $4: limit.
select * from record
 where kind = 'notice'
   and ($1 is null or status = $1)
   and ($2 = 1 or document ->> 'subject' not in ('withdrawal', 'scope_change'))
   and ($3 is null or record_id < $3)
 order by record_id desc
 limit $4
