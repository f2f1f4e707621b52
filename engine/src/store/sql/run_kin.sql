-- Other runs that failed at the same step for the same cause, the newest of each priority first.
-- $1: run id. $2: logical step. $3: cause. $4: only runs that were asked for then or later, microseconds. $5: failed runs looked at.
with failed as (
       select r.run_id, r.digest
         from run as r
        where r.status = 'failed' and r.priority in (0, 1, 2) and r.created_us >= $4
        order by r.created_us desc
        limit $5)
select f.run_id
  from failed as f
 where f.run_id <> $1
   and exists (select 1
                 from step as s
                where s.run_id = f.run_id
                  and (s.step_key = $2 or (s.step_key > $2 || '/' and s.step_key < $2 || '0'))
                  and s.status = 'failed'
                  and s.detail ->> 'cause' = $3)
 order by f.run_id desc
