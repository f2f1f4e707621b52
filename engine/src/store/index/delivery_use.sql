-- $1: delivery id. $2: use.
insert into delivery_use (delivery, use) values ($1, $2)
