-- $1: only events after this number. $2: limit. In order.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where seq > $1 order by seq limit $2
