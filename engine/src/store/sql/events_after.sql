-- $1: run id. $2: only events after this number. $3: limit. In order.
select run_id, n, at_us, kind, subject, actor, body from event where run_id = $1 and n > $2 order by n limit $3
