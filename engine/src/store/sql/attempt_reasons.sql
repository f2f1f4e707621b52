-- Why attempts ended without outputs: attempt id and the event's document.
-- $1: run id.
select subject, body from event where stream = $1 and kind in ('attempt_failed', 'attempt_quarantined') order by n
