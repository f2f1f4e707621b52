-- The tracked items of order lines, by id. $1: institution or null. $2: only ids after this one. $3: limit.
-- One of the two arms is always empty; the other walks the index that is in its order, and stops at the limit. The first item's
-- `|| ''` keeps the planner from looking for it among all items, by id.
with page as (
       select order_line_id, specimen_id, participant_id, institution, program, assay, assay_version, stage, document
         from order_line
        where $1 is null and order_line_id > $2
        union all
       select order_line_id, specimen_id, participant_id, institution, program, assay, assay_version, stage, document
         from order_line
        where institution = $1 and order_line_id > $2
        order by order_line_id
        limit $3)
select o.order_line_id,
       o.specimen_id,
       o.institution,
       o.program,
       o.assay,
       o.assay_version,
       o.stage,
       coalesce(s.document ->> 'barcode', '') as barcode,
       coalesce(s.document ->> 'custody', '') as custody,
       coalesce(p.consent, 'unknown') as consent,
       coalesce((select i.status
                   from record as i
                  where i.kind = 'item'
                    and i.record_id = (select min(f.record_id || '')
                                         from record as f
                                        where f.specimen_id = o.specimen_id and f.specimen_id <> '' and f.kind = 'item')),
                'unknown') as item,
       coalesce(o.document ->> 'waived', '') as waived,
       coalesce(o.document ->> 'clinical_information', '') as clinical_information,
       coalesce(o.document ->> 'report_return', '') as report_return
  from page as o
  left join participant as p on p.participant_id = o.participant_id
  left join record as s on s.kind = 'specimen' and s.record_id = o.specimen_id
 order by o.order_line_id
