-- Participants whose consent in force has ended, the longest ago first. $1: now. $2: how many at most.
select * from participant
 where expires_us < 9223372036854775807 and expires_us <= $1
 order by expires_us, participant_id
 limit $2
