-- $1: digest.
select * from workflow where digest = $1
