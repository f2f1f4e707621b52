-- $1: delivery id. In the order of their paths.
select * from package_file where delivery_id = $1 order by path
