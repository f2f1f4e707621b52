-- Deliveries whose id begins so: id and specimen. $1: the beginning (letters and digits only). $2: limit.
select delivery_id, specimen_id from delivery where delivery_id >= $1 and delivery_id < $1 || '~' order by delivery_id limit $2
