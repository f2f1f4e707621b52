-- $1: run id. $2: only events after this number. $3: limit. In order.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where stream = $1 and n > $2 order by n limit $3
