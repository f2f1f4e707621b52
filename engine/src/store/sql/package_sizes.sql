-- Files of a package without what is in them, by path. $1: delivery id.
select path, size, sha256, header <> '' as encrypted from package_file where delivery_id = $1 order by path
