-- The members of a family. $1: program. $2: family.
select * from participant where program = $1 and family = $2 and family <> '' order by participant_id
