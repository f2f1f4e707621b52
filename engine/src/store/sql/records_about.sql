-- $1: specimen id.
select * from record where specimen_id = $1 and specimen_id <> '' order by kind, record_id
