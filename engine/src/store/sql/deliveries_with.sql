-- Deliveries whose package holds an artifact: id, and whether any of its files is the encrypted form. $1: SHA-256 of the artifact.
select delivery_id, max(header <> '')
  from package_file
 where artifact = $1 and artifact <> ''
 group by delivery_id
 order by delivery_id
