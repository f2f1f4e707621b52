-- Events of several streams, in no order. $1: streams, a JSON object of objects with `id`.
select e.seq, e.stream, e.n, e.at_us, e.kind, e.subject, e.actor, e.role, e.body, e.hash
  from json_each($1) as m
 cross join event as e on e.stream = m.value ->> 'id'
