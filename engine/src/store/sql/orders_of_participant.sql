-- $1: participant id.
select * from order_line where participant_id = $1 order by order_line_id
