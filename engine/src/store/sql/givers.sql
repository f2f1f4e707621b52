-- The participants of whose runs some package holds an artifact; empty for a run of nobody that the center knows. $1: SHA-256.
select distinct run.participant_id
  from package_file as f
  join delivery as d on d.delivery_id = f.delivery_id
  join run on run.run_id = d.run_id
 where f.artifact = $1 and f.artifact <> ''
