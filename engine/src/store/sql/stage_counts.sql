-- How many order lines stand in each stage, and since when the oldest moved. No parameters.
select stage, count(*) as count, min(updated_us) as oldest_us from order_line group by stage
