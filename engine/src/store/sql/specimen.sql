-- $1: specimen id.
select * from specimen where specimen_id = $1
