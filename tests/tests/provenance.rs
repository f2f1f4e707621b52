//! Provenance of a real run, as documents and as a package, held against the programs that receivers have.
//!
//! Oracles: rocrate-validator, runcrate and bagit from `scripts/peers.txt`; coreutils; ssh-keygen. The runs are those of the real engine.

#[path = "provenance/description.rs"]
mod description;
#[path = "provenance/story.rs"]
mod story;
