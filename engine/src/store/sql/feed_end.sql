-- The number of the newest change that a receiver is told of. $1: target.
select coalesce(max(seq), 0) from feed where target = $1
