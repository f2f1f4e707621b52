-- $1: SHA-256.
select * from artifact where sha256 = $1
