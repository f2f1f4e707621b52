-- Ways out of gates, or answers to what a workflow asked, the newest first. $1: only ids before this one. $2: limit.
-- $3: 1 for ways out of gates, else 0.
select * from decision where (kind = 'qc') = $3 and decision_id < $1 order by decision_id desc limit $2
