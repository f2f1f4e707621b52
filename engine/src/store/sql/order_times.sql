-- When order lines reached their stages, by id. $1: institution or null. $2: only ids after this one. $3: limit.
-- One of the two arms is always empty; the other walks the index that is in its order, and stops at the limit.
select order_line_id, assay, assay_version, created_us, document
  from order_line
 where $1 is null and order_line_id > $2
 union all
select order_line_id, assay, assay_version, created_us, document
  from order_line
 where institution = $1 and order_line_id > $2
 order by order_line_id
 limit $3
