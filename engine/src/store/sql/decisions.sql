-- $1: run id. In order.
select * from decision where run_id = $1 order by at_us, decision_id
