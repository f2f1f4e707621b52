-- Events of one thing, the newest first. $1: streams that may be its own, a JSON object of objects with `id`.
-- $2: only events before this number. $3: the event's word or null. $4: who, or null. $5: limit.
-- It sorts: what one thing's streams hold is little.
select e.seq, e.stream, e.n, e.at_us, e.kind, e.subject, e.actor, e.role, e.body, e.hash
  from json_each($1) as m
 cross join event as e on e.stream = m.value ->> 'id'
 where e.seq < $2
   and ($3 is null or e.kind = $3)
   and ($4 is null or e.actor = $4)
 order by e.seq desc
 limit $5
