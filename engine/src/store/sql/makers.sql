-- The participants whose runs made an artifact; empty for a run of nobody that the center knows. $1: SHA-256.
select distinct run.participant_id
  from made
  join run on run.run_id = made.run_id
 where made.sha256 = $1
