-- Files of packages whose checksum, as they left, begins so: path, delivery, checksum. $1: the beginning, lowercase hex. $2: limit.
select path, delivery_id, sha256 from package_file where sha256 >= $1 and sha256 < $1 || 'g' order by sha256 limit $2
