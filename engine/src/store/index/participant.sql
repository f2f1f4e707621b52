-- $1: pseudonym. $2: what there is. $3: why there is no use, or null.
insert into participant (participant, has, why_none) values ($1, $2, $3)
