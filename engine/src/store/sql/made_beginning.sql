-- Files whose checksum begins so: name, run, checksum. $1: the beginning, lowercase hex. $2: limit.
select name, run_id, sha256 from made where sha256 >= $1 and sha256 < $1 || 'g' order by sha256 limit $2
