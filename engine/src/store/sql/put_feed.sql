-- $1: rows, a JSON object of objects with the columns' names. The database counts.
insert into feed (target, delivery_id, change, at_us)
select m.value ->> 'target',
       m.value ->> 'delivery_id',
       m.value ->> 'change',
       cast(m.value ->> 'at_us' as bigint)
  from json_each($1) as m
 where true
