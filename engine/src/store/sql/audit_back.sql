-- Events of the whole log, the newest first, by the log's own order. $1: only events before this number. $2: limit.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event where seq < $1 order by seq desc limit $2
