-- Tasks of a run, what needs attention first. A step with items stands for them and is no task itself.
-- 0 failed, 1 awaits a person, 2 runs, 3 ready, 4 waits, 5 passed with warnings, 6 passed, 7 canceled, 8 skipped.
-- $1: run id. $2, $3: the first and last rank that is wanted. $4: only this logical step, or null.
-- $5, $6, $7: only tasks behind this rank, position and key. $8: limit.
with ranked as (
       select s.step_key,
              s.position,
              case s.status
                when 'failed' then 0
                when 'awaiting_person' then 1
                when 'running' then 2
                when 'ready' then 3
                when 'waiting' then 4
                when 'succeeded' then case when s.detail -> 'gate' ->> 'verdict' = 'warn' then 5 else 6 end
                when 'canceled' then 7
                else 8 end as rank
         from step as s
        where s.run_id = $1
          and ($4 is null or s.step = $4)
          and (s.step_key <> s.step
               or not exists (select 1
                                from step as i
                               where i.run_id = $1 and i.step_key > s.step || '/' and i.step_key < s.step || '0'))),
     chosen as (
       select step_key, position, rank
         from ranked
        where rank between $2 and $3
          and (rank, position, step_key) > ($5, $6, $7)
        order by rank, position, step_key
        limit $8)
select s.*
  from chosen as c
  join step as s on s.run_id = $1 and s.step_key = c.step_key
 order by c.rank, c.position, c.step_key
