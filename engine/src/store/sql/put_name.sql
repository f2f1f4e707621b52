-- Names that lead to exactly one record. A name that leads elsewhere already is a mistake of ours: the whole change is refused.
-- $1: rows, a JSON object of objects with the columns' names.
insert into name (kind, name, record_id)
select m.value ->> 'kind',
       m.value ->> 'name',
       m.value ->> 'record_id'
  from json_each($1) as m
 where true
