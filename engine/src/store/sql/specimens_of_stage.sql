-- Specimens with an order line in a stage, in no order.
-- $1: only ids after this one. $2: the beginning of an id; may be empty. $3: stage or null. $4: institution or null. $5: program or null.
-- $6: limit.
select r.kind, r.record_id, r.parent, r.specimen_id, r.owner, r.status, r.document, r.events, r.created_us, r.updated_us, r.version
  from (select distinct specimen_id
          from order_line
         where stage = $3
           and specimen_id > $1
           and specimen_id >= $2
           and specimen_id < $2 || '~'
           and ($4 is null or institution = $4)
           and ($5 is null or program = $5)
         order by specimen_id
         limit $6) as o
 cross join record as r on r.kind = 'specimen' and r.record_id = o.specimen_id
