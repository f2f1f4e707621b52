-- Order lines that are not at an end and whose participant's consent lets nothing be done, by participant and id: a line's participant
-- never changes, so the last line of a page says where the next one begins.
-- $1: institution or null. $2: only what follows this order line. $3: limit.
select o.order_line_id as id,
       'order_line' as what,
       o.institution,
       p.consent as word,
       o.participant_id as parent,
       '' as document,
       o.updated_us as since_us,
       cast(9223372036854775807 as bigint) as due_us
  from participant as p
  join order_line as o on o.participant_id = p.participant_id
 where p.consent not in ('given', 'partial')
   and p.participant_id >= coalesce((select participant_id from order_line where order_line_id = $2), '')
   and (p.participant_id > coalesce((select participant_id from order_line where order_line_id = $2), '')
        or o.order_line_id > $2)
   and o.stage not in ('closed_failed', 'withdrawn', 'canceled', 'archived')
   and ($1 is null or o.institution = $1)
 order by p.participant_id, o.order_line_id
 limit $3
