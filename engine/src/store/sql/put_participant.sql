-- Participants, new or moved on by exactly one version; a row that is not changed was stale.
-- $1: rows, a JSON object of objects with the columns' names.
insert into participant (participant_id, program, pseudonym, institution, consent, scopes, consent_epoch, family, document, events, created_us, updated_us, version, expires_us)
select m.value ->> 'participant_id',
       m.value ->> 'program',
       m.value ->> 'pseudonym',
       m.value ->> 'institution',
       m.value ->> 'consent',
       m.value ->> 'scopes',
       cast(m.value ->> 'consent_epoch' as bigint),
       m.value ->> 'family',
       m.value ->> 'document',
       cast(m.value ->> 'events' as bigint),
       cast(m.value ->> 'created_us' as bigint),
       cast(m.value ->> 'updated_us' as bigint),
       cast(m.value ->> 'version' as bigint),
       cast(m.value ->> 'expires_us' as bigint)
  from json_each($1) as m
 where true
    on conflict (participant_id) do update
   set consent = excluded.consent,
       scopes = excluded.scopes,
       consent_epoch = excluded.consent_epoch,
       family = excluded.family,
       document = excluded.document,
       events = excluded.events,
       updated_us = excluded.updated_us,
       version = excluded.version,
       expires_us = excluded.expires_us
 where participant.version = excluded.version - 1
