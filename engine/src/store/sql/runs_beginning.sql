-- Runs whose id begins so: id and specimen. $1: the beginning (letters and digits only). $2: limit.
select run_id, specimen_id from run where run_id >= $1 and run_id < $1 || '~' order by run_id limit $2
