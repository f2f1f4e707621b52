-- board_moved
-- Order lines of a stage that changed since a time, and when they reached their stages. $1: stage. $2: since then, microseconds.
select stage, created_us, document ->> 'since' as since from order_line where stage = $1 and updated_us >= $2
