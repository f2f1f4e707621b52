-- board_lapsed
-- How many order lines of a stage expected something by now. $1: stage. $2: now, microseconds.
select count(*) as count from order_line where stage = $1 and expect_us <= $2
