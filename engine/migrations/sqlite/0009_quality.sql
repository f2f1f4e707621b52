-- Control charts, failures and the forecast of the disk read what is newest of their kind, each by an index that holds nothing else.

-- Headline values of tracked metrics, by when they were measured.
create index measurement_tracked on measurement (metric, at_us) where item = '' and tracked = 1;
-- A control specimen has a run every night: the newest ones of it, without looking at all of them.
create index run_of_specimen on run (specimen_id, run_id);
-- Attempts that failed, by when.
create index attempt_failed on attempt (updated_us, attempt_id) where cause <> '';
-- What people decided about gates, by when.
create index decision_qc on decision (at_us) where kind = 'qc';
-- How fast the store grows.
create index artifact_created on artifact (created_us, size);
