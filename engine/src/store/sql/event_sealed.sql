-- The newest event that has its hash. No parameters.
select seq, hash from event where hash <> '' order by seq desc limit 1
