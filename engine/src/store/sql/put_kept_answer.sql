-- A key that was used more than a day ago is a new one.
-- $1: rows, a JSON object of objects with the columns' names.
insert into kept_answer (key_id, act, sent, status, content_type, body, at_us)
select m.value ->> 'key_id',
       m.value ->> 'act',
       m.value ->> 'sent',
       cast(m.value ->> 'status' as bigint),
       m.value ->> 'content_type',
       m.value ->> 'body',
       cast(m.value ->> 'at_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (key_id, act) do update
   set sent = excluded.sent,
       status = excluded.status,
       content_type = excluded.content_type,
       body = excluded.body,
       at_us = excluded.at_us
