-- $1: run id. In order.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where stream = $1 order by n
