-- Attempts that made an artifact. $1: SHA-256.
select distinct attempt_id from made where sha256 = $1 order by attempt_id
