-- What was measured of order lines, the newest first: ids sort by time. What is of a withdrawn participant is compared with nothing.
-- $1: assay or null. $2: its version or null. $3: only what was judged then or later, microseconds. $4: only ids before this one.
-- $5: limit.
select e.record_id as evaluation_id,
       o.order_line_id,
       o.specimen_id,
       o.assay,
       o.assay_version,
       o.document as order_document,
       e.document,
       e.created_us
  from record as e
  join order_line as o on o.order_line_id = e.parent
 where e.kind = 'evaluation'
   and ($1 is null or o.assay = $1)
   and ($2 is null or o.assay_version = $2)
   and e.created_us >= $3
   and e.record_id < $4
   and o.stage <> 'withdrawn'
 order by e.record_id desc
 limit $5
