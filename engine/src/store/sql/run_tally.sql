-- How far each logical step of a run is, one row per step and status, in plan order. A step with items has a row of its own beside
-- theirs: `heads` counts it.
-- $1: run id.
select s.step,
       s.status,
       count(*) as steps,
       cast(sum(case when s.step_key = s.step then 1 else 0 end) as bigint) as heads,
       cast(sum(case when s.status = 'succeeded' and s.detail -> 'gate' ->> 'verdict' = 'warn' then 1 else 0 end) as bigint) as warned,
       cast(sum(case when s.status = 'ready' and cast(coalesce(s.detail ->> 'attempts', '0') as bigint) > 0 then 1 else 0 end) as bigint) as again,
       cast(min(s.position) as bigint) as position,
       cast(min(s.updated_us) as bigint) as first_us,
       cast(max(s.updated_us) as bigint) as last_us
  from step as s
 where s.run_id = $1
 group by s.step, s.status
 order by min(s.position), s.step, s.status
