-- The event by which a receipt was taken. $1: the delivery's stream. $2: the receipt's id.
select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event
 where stream = $1
   and kind in ('partly_acknowledged', 'acknowledged', 'mismatched', 'refused')
   and body ->> 'receipt' = $2
 order by n
 limit 1
