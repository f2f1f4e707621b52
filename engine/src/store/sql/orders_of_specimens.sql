-- The order lines of several specimens, in no order. $1: specimens, a JSON object of objects with `id`.
select o.*
  from json_each($1) as m
 cross join order_line as o on o.specimen_id = m.value ->> 'id'
