-- Steps of a run that judged something, in plan order. $1: run id.
select * from step where run_id = $1 and detail ->> 'gate' is not null order by position
