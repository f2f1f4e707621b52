-- A new submission; the same intent twice is an error (the caller looks first).
-- $1: rows, a JSON object of objects with the columns' names.
insert into submission (submission_id, intent, digest, params, images, submitted_by, created_us)
select m.value ->> 'submission_id',
       m.value ->> 'intent',
       m.value ->> 'digest',
       m.value ->> 'params',
       m.value ->> 'images',
       m.value ->> 'submitted_by',
       cast(m.value ->> 'created_us' as bigint)
  from json_each($1) as m
 where true
