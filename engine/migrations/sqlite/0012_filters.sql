-- Filters of the audit log, of decisions and of letters: whoever asks for one person, one word or one receiver reads what is theirs, and
-- does not look through everything for it.
--
-- `(…) is true`: see migration 4.

-- The log by what happened, and by who did it; behind both stands the event's number, which is its row.
create index event_kind on event (kind);
create index event_actor on event (actor);

-- What people decided about steps of runs: ways out of gates, and answers. Ids sort by time.
create index decision_sort on decision ((kind = 'qc'), decision_id);
create index decision_person on decision (person, decision_id);
create index decision_person_sort on decision (person, (kind = 'qc'), decision_id);
-- What they decided about order lines, and what they proposed.
create index record_decided_by on record (document ->> 'person', record_id) where (kind = 'decision') is true;
create index record_proposed_by on record (document ->> 'proposed_by', record_id) where (kind = 'proposal') is true;

-- Notices by receiver and by what they say. What a list is narrowed by as well stands in the index: what is not wanted is never read.
create index record_notice_to on record (document ->> 'to', record_id, document ->> 'subject', status) where (kind = 'notice') is true;
create index record_notice_subject on record (document ->> 'subject', record_id, status) where (kind = 'notice') is true;

-- What failed within some days, by cause: read from the index alone.
drop index attempt_failed;
create index attempt_failed on attempt (updated_us, attempt_id, cause) where cause <> '';
