-- $1: delivery id. $2: pseudonym. $3: specimen. $4: status. $5: folder or null. $6: RFC 3339 or null.
insert into delivery (delivery, participant, specimen, status, folder, created) values ($1, $2, $3, $4, $5, $6)
