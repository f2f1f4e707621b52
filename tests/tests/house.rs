//! The engine as a whole: real store, real collector, real courier, scripted hands. No sleeps; every run's invariants are checked
//! at the end of every test.

mod again;
mod calls;
mod cancel;
mod door;
mod executors;
mod gates;
pub(crate) mod handoff;
mod mail;
pub(crate) mod notices;
mod order;
mod outside;
mod people;
mod posts;
mod recovery;
mod retries;
mod scatter;
mod skipping;
mod submission;
mod upgrade;
