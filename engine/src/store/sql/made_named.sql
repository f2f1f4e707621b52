-- Files with this name: name, run, checksum. $1: name. $2: limit.
select name, run_id, sha256 from made where name = $1 limit $2
