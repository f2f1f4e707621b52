-- The line: what a submission asked for, what became of it, and what it made.
--
-- Types are kept to what both databases sort and compare alike: text, 64-bit integers (counts, microseconds since the epoch, booleans as 0/1)
-- and documents (JSON as text here). The engine supplies every id and time; the database defaults nothing. Vocabularies are guarded
-- by the enums' parsers, not by check lists, so that a new status needs no migration.

-- One row: each engine that takes the site counts up; what an older engine still tries to write is stale.
create table engine (
    id     integer not null primary key,
    epoch  integer not null
) strict;

-- Workflows by the digest of their text: a run keeps the text it was laid out from.
create table workflow (
    digest      text   not null primary key,
    workflow_id text   not null,
    version     text   not null,
    path        text   not null,
    source      text   not null,
    called      text   not null,   -- JSON: name as written → [path, source]
    registered  integer not null,
    created_us  integer not null
) strict;

-- What a sheet said about a specimen, last word wins; the runs keep what they were given.
create table specimen (
    specimen_id text   not null primary key,
    document    text   not null,   -- JSON: plan::Specimen
    source      text   not null,   -- sheet it came from
    created_us  integer not null,
    updated_us  integer not null
) strict;

create table submission (
    submission_id text   not null primary key,
    intent        text   not null unique,   -- the same request again finds this row
    digest        text   not null references workflow (digest),
    params        text   not null,          -- JSON as resolved
    images        text   not null,          -- JSON: image as written → digest
    submitted_by  text   not null,
    created_us    integer not null
) strict;

create table run (
    run_id        text   not null primary key,
    submission_id text   not null references submission (submission_id),
    intent        text   not null unique,
    specimen_id   text   not null,
    digest        text   not null references workflow (digest),
    status        text   not null,
    hold          text   not null,          -- JSON: {"by","reason","since_us"} or null
    priority      integer not null,
    parent        text   not null,          -- JSON: {"run","step"} or null
    plan          text   not null,          -- JSON: plan::Plan
    steps_left    integer not null,
    attempts_made integer not null,
    events        integer not null,
    submitted_by  text   not null,
    created_us    integer not null,
    updated_us    integer not null,
    version       integer not null
) strict;
-- The scheduler loads what is open, in the order in which it may start; the page lists by age.
create index run_open on run (status, priority desc, created_us, run_id);
create index run_submission on run (submission_id);
create index run_specimen on run (specimen_id);

create table step (
    run_id     text   not null references run (run_id),
    step_key   text   not null,
    position   integer not null,
    step       text   not null,
    status     text   not null,
    outputs    text   not null,             -- JSON: output name → value
    detail     text   not null,             -- JSON: engine::detail::Detail
    updated_us integer not null,
    version    integer not null,
    primary key (run_id, step_key)
) strict;

create table attempt (
    attempt_id text   not null primary key,
    run_id     text   not null references run (run_id),
    step_key   text   not null,
    number     integer not null,             -- of this step, from 1
    round      integer not null,             -- counts a person's retries of the step
    status     text   not null,
    executor   text   not null,
    task       text   not null,             -- JSON: port::executor::Task
    expected   text   not null,             -- JSON: declared outputs
    cause      text   not null,             -- empty while there is none
    evidence   text   not null,             -- JSON: what the verdict rests on
    log_bytes  integer not null,
    epoch      integer not null,
    created_us integer not null,
    updated_us integer not null,
    version    integer not null
) strict;
create index attempt_run on attempt (run_id, step_key, number);
create index attempt_open on attempt (status) where status not in ('committed', 'failed', 'canceled', 'quarantined');
-- At most one attempt per step (and round) is ever committed, whatever the engine believes.
create unique index attempt_committed on attempt (run_id, step_key, round) where status = 'committed';

-- Facts, appended and never changed. Read by run in order, or as one feed by seq.
create table event (
    seq     integer primary key autoincrement,
    run_id  text    not null,
    n       integer  not null,               -- 1, 2, 3 … within the run
    at_us   integer  not null,
    kind    text    not null,
    subject text    not null,               -- step key or attempt id, may be empty
    actor   text    not null,               -- person or 'engine'
    body    text    not null                -- JSON
) strict;
create unique index event_run on event (run_id, n);

create table artifact (
    sha256     text   not null primary key,
    size       integer not null,
    dir        integer not null,
    created_us integer not null
) strict;

-- Which attempt generated which artifact, under which output name.
create table made (
    attempt_id text   not null references attempt (attempt_id),
    run_id     text   not null,
    step_key   text   not null,
    output     text   not null,
    position   integer not null,
    name       text   not null,
    sha256     text   not null references artifact (sha256),
    primary key (attempt_id, output, position)
) strict;
create index made_sha256 on made (sha256);
create index made_run on made (run_id);

-- What people decided, appended; an override never edits the verdict it overrides.
create table decision (
    decision_id text   not null primary key,
    run_id      text   not null,
    step_key    text   not null,
    kind        text   not null,            -- approve, reject, qc
    verdict     text   not null,
    reason      text   not null,
    person      text   not null,
    roles       text   not null,            -- JSON list
    bound       text   not null,            -- JSON: the checksums and values that were shown
    at_us       integer not null
) strict;
create index decision_run on decision (run_id);

create table measurement (
    run_id   text   not null,
    step_key text   not null,
    metric   text   not null,
    item     text   not null,               -- empty for the headline
    value    text   not null,               -- JSON number or null when not measured
    unit     text   not null,
    verdict  text   not null,
    tracked  integer not null,
    at_us    integer not null,
    primary key (run_id, step_key, metric, item)
) strict;

create table delivery (
    delivery_id     text   not null primary key,
    run_id          text   not null,
    step_key        text   not null,
    specimen_id     text   not null,
    target          text   not null,
    status          text   not null,        -- packaging, delivered
    content         text   not null,        -- digest over (specimen, target, sorted names with plain sha256)
    parcel          text   not null,        -- JSON: port::courier::Parcel
    place           text   not null,
    manifest_sha256 text   not null,
    created_us      integer not null,
    updated_us      integer not null
) strict;
create index delivery_run on delivery (run_id);
