-- What people decided about steps of runs, the newest first: ids sort by time. $1: only ids before this one. $2: limit.
select * from decision where decision_id < $1 order by decision_id desc limit $2
