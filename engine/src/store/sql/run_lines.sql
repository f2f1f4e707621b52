-- Runs as lists show them, newest first. A step with items is a group and is not counted itself.
-- $1: runs, a JSON object of objects with `id`.
with wanted as (select m.value ->> 'id' as run_id from json_each($1) as m),
     tally as (
       select s.run_id,
              count(*) as n,
              sum(case when s.status in ('succeeded', 'skipped') then 1 else 0 end) as done,
              sum(case when s.status in ('succeeded', 'skipped') and s.step_key <> s.step then 1 else 0 end) as items_done,
              sum(case when s.status = 'awaiting_person' then 1 else 0 end) as asks
         from wanted as w
         join step as s on s.run_id = w.run_id
        group by s.run_id, s.step),
     total as (
       select run_id,
              sum(case when n > 1 then n - 1 else 1 end) as steps_total,
              sum(case when n > 1 then items_done else done end) as steps_done,
              sum(asks) as asks
         from tally
        group by run_id)
select r.run_id, r.submission_id, f.workflow_id, f.version as workflow_version, r.digest, r.specimen_id, r.status, r.hold,
       r.priority, r.parent, r.submitted_by, r.created_us, r.updated_us,
       cast(coalesce(t.steps_total, 0) as bigint) as steps_total,
       cast(coalesce(t.steps_done, 0) as bigint) as steps_done,
       cast(coalesce(t.asks, 0) as bigint) as asks
  from wanted as w
  join run as r on r.run_id = w.run_id
  join workflow as f on f.digest = r.digest
  left join total as t on t.run_id = r.run_id
 order by r.run_id desc
