-- Events behind the newest that has its hash, in order. $1: its number; $2: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where seq > $1 and hash = '' order by seq limit $2
