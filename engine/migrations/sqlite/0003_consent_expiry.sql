-- A consent may end by itself. The guard reads this column in every start; the index finds what has ended.

alter table participant add column expires_us integer not null default 9223372036854775807; -- the largest number: never
update participant
   set expires_us = coalesce((select cast(r.document ->> 'expires_us' as integer)
                                from record as r
                               where r.kind = 'consent' and r.parent = participant.participant_id
                                 and r.status in ('given', 'partial')
                               order by r.created_us desc
                               limit 1),
                             9223372036854775807)
 where consent in ('given', 'partial');
create index participant_expiry on participant (expires_us) where expires_us < 9223372036854775807;
