-- $1: order line id.
select * from order_line where order_line_id = $1
