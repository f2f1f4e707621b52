-- $1: kind of name. $2: name.
select record_id from name where kind = $1 and name = $2
