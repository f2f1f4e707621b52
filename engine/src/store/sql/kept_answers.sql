-- What is kept under a key, the answer first.
-- $1: key. $2: only what is newer, microseconds.
select * from kept_answer where key_id = $1 and at_us > $2 order by act
