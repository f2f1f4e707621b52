-- $1: delivery id.
select * from delivery where delivery_id = $1
