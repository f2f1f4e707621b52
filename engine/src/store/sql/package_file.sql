-- $1: delivery id. $2: path.
select * from package_file where delivery_id = $1 and path = $2
