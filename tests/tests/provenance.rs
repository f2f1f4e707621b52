//! Provenance of a real run, as documents and as a package, held against the programs that receivers have.
//!
//! Oracles: rocrate-validator, runcrate and bagit from `scripts/peers.txt`; coreutils; ssh-keygen. The runs are those of the real engine.

#[path = "provenance/description.rs"]
mod description;
#[path = "provenance/disk.rs"]
mod disk;
#[path = "provenance/package.rs"]
mod package;
#[path = "provenance/peers.rs"]
pub(crate) mod peers;
#[path = "provenance/story.rs"]
mod story;
#[path = "provenance/verbs.rs"]
mod verbs;
