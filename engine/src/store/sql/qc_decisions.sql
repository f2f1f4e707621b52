-- What people decided about gates, the newest first. $1: only what was decided then or later, microseconds. $2: limit.
select * from decision where kind = 'qc' and at_us >= $1 order by at_us desc limit $2
