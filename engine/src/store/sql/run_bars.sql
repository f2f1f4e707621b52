-- Attempts as a timeline draws them: of each logical step those of so many tasks, what needs attention first.
-- $1: run id. $2: tasks of a step at most.
with ranked as (
       select s.step_key,
              row_number() over (
                partition by s.step
                order by case s.status when 'failed' then 0 when 'running' then 1 when 'ready' then 2 when 'succeeded' then 3 else 4 end,
                         s.position, s.step_key) as place
         from step as s
        where s.run_id = $1)
select a.*
  from attempt as a
 where a.run_id = $1
   and a.step_key in (select r.step_key from ranked as r where r.place <= $2)
 order by a.created_us, a.attempt_id
