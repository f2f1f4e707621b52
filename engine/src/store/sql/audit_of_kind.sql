-- Events of one word, the newest first. $1: the event's word. $2: only events before this number. $3: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash
  from event
 where kind = $1
   and seq < $2
 order by seq desc
 limit $3
