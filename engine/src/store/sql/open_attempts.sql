-- Attempts that are not at their end. No parameters.
select * from attempt where status not in ('committed', 'failed', 'canceled', 'quarantined') order by created_us
