-- $1: pseudonym. $2: use.
insert into participant_use (participant, use) values ($1, $2)
