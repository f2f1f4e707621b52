-- What one person or service did, the newest first. $1: who. $2: only events before this number. $3: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash
  from event
 where actor = $1
   and seq < $2
 order by seq desc
 limit $3
