-- $1: id. $2: pseudonym. $3: file. $4: line or null.
insert into phenopacket (id, participant, file, line) values ($1, $2, $3, $4)
