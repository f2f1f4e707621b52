-- Events of several streams with the hash of the one before each in the log (empty: there is none), by number.
-- $1: streams, a JSON object of objects with `id`. $2: only events after this number. $3: limit.
-- It sorts: what one specimen's streams hold is little.
select e.seq, e.stream, e.n, e.at_us, e.kind, e.subject, e.actor, e.role, e.body, e.hash, coalesce(b.hash, '') as before
  from json_each($1) as m
 cross join event as e on e.stream = m.value ->> 'id'
  left join event as b on b.seq = e.seq - 1
 where e.seq > $2
 order by e.seq
 limit $3
