-- Newest first. No parameters.
select * from workflow where registered = 1 order by created_us desc
