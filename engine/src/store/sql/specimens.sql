-- No parameters.
select * from specimen order by specimen_id
