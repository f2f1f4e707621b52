-- How many participants stand at another consent epoch than the one that was decided for.
-- $1: rows, a JSON object of objects with the columns' names.
select count(*)
  from json_each($1) as m
  left join participant on participant.participant_id = m.value ->> 'participant_id'
 where participant.consent_epoch is null
    or participant.consent_epoch <> cast(m.value ->> 'consent_epoch' as bigint)
