-- Events of the whole log, the newest first, among those of some numbers: by the log's own order, so that looking for few among many ends.
-- $1: only events before this number. $2: and not before this one. $3: the event's word or null. $4: who, or null. $5: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event
 where seq < $1
   and seq >= $2
   and ($3 is null or kind = $3)
   and ($4 is null or actor = $4)
 order by seq desc
 limit $5
