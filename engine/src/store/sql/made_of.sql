-- Libraries of specimens, and their data on lanes, oldest first. $1: specimens, {"0": {"id": …}, …}. The kind's `|| ''` keeps the
-- planner from reading all libraries of everybody.
select r.specimen_id,
       r.kind,
       r.record_id,
       coalesce(r.document ->> 'kit', '') as kit,
       r.created_us
  from json_each($1) as m
  join record as r on r.specimen_id = m.value ->> 'id' and r.specimen_id <> ''
 where r.kind || '' in ('library', 'lane_library')
 order by r.created_us
