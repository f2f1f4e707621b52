-- The newest id that the center issued with a letter before it. $1: the letter. $2: the letter after it.
select coalesce(max(id), '') from (
  select max(record_id) as id from record where kind = 'specimen' and record_id >= $1 and record_id < $2
  union all
  select max(order_line_id) as id from order_line where order_line_id >= $1 and order_line_id < $2
) as ids
