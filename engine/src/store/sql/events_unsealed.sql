-- Events that have no hash yet, in order. $1: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where hash = '' order by seq limit $1
