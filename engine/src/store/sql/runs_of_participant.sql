-- $1: participant id. Oldest first.
select * from run where participant_id = $1 and participant_id <> '' order by created_us, run_id
