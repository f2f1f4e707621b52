-- Specimens whose first order line was just written. Run after both tables' rows, in their transaction.
-- $1: rows of order lines, a JSON object of objects with the columns' names.
update record
   set ordered = 1
 where kind = 'specimen'
   and ordered = 0
   and record_id in (select m.value ->> 'specimen_id'
                       from json_each($1) as m
                      where cast(m.value ->> 'version' as bigint) = 1)
