-- board_deliveries
-- Deliveries by receiver and status, and when the newest of them changed. No parameters.
select owner, status, count(*) as count, max(updated_us) as newest_us
  from record
 where (kind = 'delivery') is true
 group by owner, status
