-- Events of one word by one person or service, the newest first, among those of some numbers: so that looking for few among many ends.
-- The word's index is taken, whatever the planner thinks of people. $1: the event's word. $2: only events before this number.
-- $3: and not before this one. $4: who. $5: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash
  from event
 where kind = $1
   and seq < $2
   and seq >= $3
   and +actor = $4
 order by seq desc
 limit $5
