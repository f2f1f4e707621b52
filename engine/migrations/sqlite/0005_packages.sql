-- Packages as they leave: every file with the checksums of the bytes that the receiver gets. Written once, before the first byte leaves;
-- what is offered, resumed or carried again is read from here, so it is the same every time.
create table package_file (
    delivery_id  text    not null,
    path         text    not null,          -- in the package's folder: data/S1.cram.c4gh, bagit.txt
    size         integer not null,          -- bytes, as they leave
    sha256       text    not null,          -- lowercase hex, as they leave
    md5          text    not null,
    artifact     text    not null,          -- SHA-256 of the artifact that it is or holds; empty: `content`
    header       text    not null,          -- Crypt4GH header for the recipient, hex, before the encrypted artifact; empty: it is plain
    plain_size   integer not null,          -- of what an encrypted file holds; 0 for a plain one
    plain_md5    text    not null,
    content      text    not null,          -- what the engine wrote: documents, tag files
    created_us   integer not null,
    primary key (delivery_id, path)
) strict;
create index package_file_sha256 on package_file (sha256, delivery_id);
create index package_file_artifact on package_file (artifact) where artifact <> '';

-- What a receiver is told, in order: a delivery comes again whenever something changed for them. The cursor is `seq`.
create table feed (
    seq          integer not null primary key,
    target       text    not null,
    delivery_id  text    not null,
    change       text    not null,          -- offered, recalled, …: the delivery's status
    at_us        integer not null
) strict;
create index feed_target on feed (target, seq);
create index feed_delivery on feed (delivery_id, seq);

-- Offers that end by themselves, by when. `(…) is true`: see migration 4.
create index record_delivery_ends on record (cast(document ->> 'expires_us' as bigint))
 where (kind = 'delivery' and status in ('offered', 'pulling', 'delivered', 'partly_acknowledged', 'refused')) is true;

-- Packages of earlier versions of this program have no rows of files: their names were `delivered` once they were there, and still are.
create index delivery_specimen on delivery (specimen_id, target);
