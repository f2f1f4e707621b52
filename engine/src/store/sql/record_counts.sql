-- record_counts
-- How many records of some kinds stand in each status. No parameters.
select kind, status, count(*) as count
  from record
 where kind in ('instrument_run', 'shipment', 'case', 'schedule', 'notice')
 group by kind, status
