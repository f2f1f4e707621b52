-- What was asked for under a key of the asker's, and how it was answered: kept for a day, so that what is sent again is done once.
create table kept_answer (
    -- HMAC over who asked, the route, and their key.
    key_id text not null,
    -- What the engine did under it, written with the act itself; empty: what was answered in the end.
    act text not null,
    -- HMAC over what was sent: the same key with something else is refused.
    sent text not null,
    -- HTTP status; 0 for an act.
    status integer not null,
    content_type text not null,
    body text not null,
    at_us integer not null,
    primary key (key_id, act)
) strict, without rowid;
-- What is older than a day goes when something is added.
create index kept_answer_at on kept_answer (at_us);

-- A list of workflows is read a page at a time, the newest first.
create index workflow_created on workflow (created_us desc, digest);
