-- Gives events that have none their hash.
-- $1: rows, a JSON object of objects with seq and hash.
update event
   set hash = m.value ->> 'hash'
  from json_each($1) as m
 where event.seq = cast(m.value ->> 'seq' as bigint) and event.hash = ''
