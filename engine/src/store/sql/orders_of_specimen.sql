-- $1: specimen id.
select * from order_line where specimen_id = $1 order by order_line_id
