-- Newest first. No parameters.
select * from delivery order by created_us desc
