-- $1: run id. In order.
select run_id, n, at_us, kind, subject, actor, body from event where run_id = $1 order by n
