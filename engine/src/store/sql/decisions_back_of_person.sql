-- What one person decided about steps of runs, the newest first. $1: only ids before this one. $2: limit. $3: who.
select * from decision where person = $3 and decision_id < $1 order by decision_id desc limit $2
