-- The number that the newest signed checkpoint speaks of; exports have letters. No parameters.
select record_id from record where kind = 'checkpoint' and record_id < 'a' order by record_id desc limit 1
