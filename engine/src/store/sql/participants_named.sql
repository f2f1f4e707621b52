-- $1: pseudonym, in whatever program.
select * from participant where pseudonym = $1 order by participant_id limit 2
