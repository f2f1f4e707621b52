-- The data center's index: who has a genome, a clinical record, both or neither, and which uses consent allows. Made anew each time,
-- for whoever asks it in SQL; kentai itself never reads it.
create table about (
    key          text    not null primary key,
    value        text    not null
) strict;
insert into about values ('kentai_link_index', '1');     -- version of this layout; tables and columns are only added

create table participant (
    participant  text    not null primary key,           -- pseudonym
    has          text    not null,                       -- both, genome, clinical, neither
    why_none     text                                    -- why consent allows no use, where it allows none
) strict;
create index participant_has on participant (has);

-- What consent allows now: of the newest delivery that stands, without what the center took away since.
create table participant_use (
    participant  text    not null references participant,
    use          text    not null,
    primary key (participant, use)
) strict;
create index participant_use_use on participant_use (use);

create table delivery (
    delivery     text    not null primary key,
    participant  text    not null references participant,
    specimen     text    not null,
    status       text    not null,                       -- as the center has it
    folder       text,                                   -- beneath packages/, when it is here and stands
    created      text                                    -- RFC 3339
) strict;
create index delivery_participant on delivery (participant);

-- What a delivery came with, as far as the center still names it.
create table delivery_use (
    delivery     text    not null references delivery,
    use          text    not null,
    primary key (delivery, use)
) strict;

create table phenopacket (
    id           text    not null primary key,           -- the phenopacket's own
    participant  text    not null references participant,
    file         text    not null,
    line         integer                                 -- of a file of lines, from 1
) strict;
create index phenopacket_participant on phenopacket (participant);
