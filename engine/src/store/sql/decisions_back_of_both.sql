-- One person's ways out of gates, or answers, the newest first. $1: only ids before this one. $2: limit. $3: who.
-- $4: 1 for ways out of gates, else 0.
select * from decision where person = $3 and (kind = 'qc') = $4 and decision_id < $1 order by decision_id desc limit $2
