-- Ids of what a target was given of a specimen. $1: target. $2: specimen id.
select delivery_id from delivery where specimen_id = $2 and target = $1 order by delivery_id
