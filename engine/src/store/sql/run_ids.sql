-- Ids of runs, newest first (ids sort by time). The first filter that is given chooses the index; the others narrow.
-- $1: public state or null. $2: specimen or null. $3: submission or null. $4: only ids before this one, or null. $5: limit.
-- $6, $7: the stored statuses that can be of that state.
select r.run_id
  from (select run_id, specimen_id, submission_id, status, hold from run where $2 is not null and specimen_id = $2
        union all
        select run_id, specimen_id, submission_id, status, hold from run where $2 is null and $3 is not null and submission_id = $3
        union all
        select run_id, specimen_id, submission_id, status, hold from run
         where $2 is null and $3 is null and $1 is not null and status in ($6, $7)
        union all
        select run_id, specimen_id, submission_id, status, hold from run where $1 is null and $2 is null and $3 is null) as r
 where ($4 is null or r.run_id < $4)
   and ($3 is null or r.submission_id = $3)
   and ($1 is null
        or $1 = case when r.status in ('succeeded', 'failed', 'canceled') then r.status
                     when r.status = 'canceling' then 'running'
                     when r.hold <> 'null' then 'held'
                     when exists (select 1 from step as s where s.run_id = r.run_id and s.status = 'awaiting_person') then 'waits_for_person'
                     else r.status end)
 order by r.run_id desc
 limit $5
