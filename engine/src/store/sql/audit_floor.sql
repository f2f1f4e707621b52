-- The number of the last event of one word that such a look goes back to. $1: the event's word. $2: only events before this number.
-- $3: so many lie between.
select seq from event where kind = $1 and seq < $2 order by seq desc limit 1 offset $3
