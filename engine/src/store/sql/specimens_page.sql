-- $1: only specimens after this one, or null. $2: limit. By id.
select * from specimen where ($1 is null or specimen_id > $1) order by specimen_id limit $2
