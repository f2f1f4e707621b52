-- Answers that are a day older than the newest of these.
-- $1: rows of kept answers, a JSON object of objects with the columns' names.
delete from kept_answer
 where at_us < (select max(cast(m.value ->> 'at_us' as bigint)) from json_each($1) as m) - 86400000000
