-- board_unanswered
-- Since when the oldest delivery of each receiver waits for its receipt. No parameters.
select owner, min(created_us) as since_us
  from record
 where (kind = 'delivery') is true
   and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged')
 group by owner
