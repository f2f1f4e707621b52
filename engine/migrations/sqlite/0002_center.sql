-- The center: participants, order lines, everything else that reaches a specimen, and one chain over every event.
--
-- Events get one log for runs and records alike: `stream` is the id of what happened (a run, an order line, a specimen …). Each row
-- carries the hash over itself and the row before it, so that the log cannot be changed unseen. Rows that are older than this
-- migration have no hash yet; the engine seals them when it starts, before it writes anything.

create table event_linked (
    seq    integer primary key,
    stream text    not null,
    n      integer not null,               -- 1, 2, 3 … within the stream
    at_us  integer not null,
    kind   text    not null,
    subject text   not null,               -- step key, attempt id, another record's id; may be empty
    actor  text    not null,               -- person, service or 'engine'
    role   text    not null,               -- the role by which a person was allowed, else empty
    body   text    not null,               -- JSON
    hash   text    not null                -- hex SHA-256: engine::audit::link
) strict;
insert into event_linked (seq, stream, n, at_us, kind, subject, actor, role, body, hash)
select seq, run_id, n, at_us, kind, subject, actor, '', body, '' from event order by seq;
drop table event;
alter table event_linked rename to event;
create unique index event_stream on event (stream, n);

-- A person, known here by a pseudonym only. `consent_epoch` counts what is known about consent: whatever starts, opens or leaves
-- says for which epoch it was decided, and the transaction refuses it for any other.
create table participant (
    participant_id text    not null primary key,
    program        text    not null,
    pseudonym      text    not null,
    institution    text    not null,
    consent        text    not null,        -- state::consent, as of the newest record in force
    scopes         text    not null,        -- JSON list of uses
    consent_epoch  integer not null,
    family         text    not null,        -- may be empty
    document       text    not null,        -- JSON: specimen::record::Participant
    events         integer not null,
    created_us     integer not null,
    updated_us     integer not null,
    version        integer not null
) strict;
create unique index participant_pseudonym on participant (program, pseudonym);
create index participant_name on participant (pseudonym);
create index participant_family on participant (program, family) where family <> '';

-- One specimen × one assay version: what the center delivers.
create table order_line (
    order_line_id  text    not null primary key,
    specimen_id    text    not null,
    participant_id text    not null,
    institution    text    not null,
    program        text    not null,
    assay          text    not null,
    assay_version  text    not null,
    stage          text    not null,        -- state::order
    round          integer not null,
    priority       integer not null,
    hold           text    not null,        -- JSON: {"by","reason","since_us"} or null
    run_id         text    not null,        -- of this round, empty while there is none
    expect_us      integer not null,        -- when the expectation lapses; the largest number when nothing is expected
    due_us         integer not null,
    document       text    not null,        -- JSON: specimen::record::OrderLine
    events         integer not null,
    created_us     integer not null,
    updated_us     integer not null,
    version        integer not null
) strict;
create index order_line_stage on order_line (stage, order_line_id);
create index order_line_age on order_line (stage, updated_us);
create index order_line_expect on order_line (expect_us, order_line_id);
create index order_line_specimen on order_line (specimen_id);
create index order_line_participant on order_line (participant_id);
create index order_line_institution on order_line (institution, order_line_id);
create index order_line_run on order_line (run_id) where run_id <> '';

-- Everything else, one typed document each (engine::specimen::record and its kin): institutions, programs, assays, shipments and
-- their items, specimens, consent records, libraries, instrument runs, lanes, requests, deviations, custody, cases, people, tokens.
create table record (
    kind        text    not null,
    record_id   text    not null,
    parent      text    not null,           -- the record that it belongs to, may be empty
    specimen_id text    not null,           -- the specimen that it reaches, may be empty
    owner       text    not null,           -- institution whose it is; empty: the center's own
    status      text    not null,
    document    text    not null,
    events      integer not null,
    created_us  integer not null,
    updated_us  integer not null,
    version     integer not null,
    primary key (kind, record_id)
) strict;
create index record_parent on record (kind, parent, record_id);
create index record_status on record (kind, status, record_id);
create index record_owner on record (kind, owner, record_id);
create index record_specimen on record (specimen_id, kind) where specimen_id <> '';

-- Names that lead to exactly one record: barcodes by their normalized key, pseudonyms, folders, what was asked before.
create table name (
    kind      text not null,
    name      text not null,
    record_id text not null,
    primary key (kind, name)
) strict;

-- A run belongs to an order line, and to the participant whose consent it needs (both empty for a sheet's specimen that the
-- center does not know).
alter table run add column order_line_id text not null default '';
alter table run add column participant_id text not null default '';
create index run_order_line on run (order_line_id) where order_line_id <> '';
create index run_participant on run (participant_id) where participant_id <> '';

-- A withdrawn participant's artifacts are sealed: nobody but the withdrawal role opens them.
alter table artifact add column sealed text not null default '';
