//! What is true and what happens next. See docs/ARCHITECTURE.md for the walk through this room.
//!
//! Pure, except `store`, `scheduler`, `id::fresh`, `clock` and the signatures of `port`.

pub mod audit;
pub mod clock;
pub mod decide;
pub mod exit_record;
pub mod graph;
pub mod handoff;
pub mod id;
pub mod intake;
pub mod people;
pub mod port;
pub mod provenance;
pub mod qc;
pub mod scheduler;
pub mod specimen;
pub mod state;
pub mod store;
pub mod translated;
pub mod view;
