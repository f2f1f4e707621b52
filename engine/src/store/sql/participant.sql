-- $1: participant id.
select * from participant where participant_id = $1
