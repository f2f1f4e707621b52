-- The newest event: its number and hash. No parameters.
select seq, hash from event order by seq desc limit 1
