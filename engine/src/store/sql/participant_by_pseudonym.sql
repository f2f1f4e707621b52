-- $1: program. $2: pseudonym.
select * from participant where program = $1 and pseudonym = $2
