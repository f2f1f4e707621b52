//! What is true and what happens next. See docs/ARCHITECTURE.md for the walk through this room.
//!
//! Pure, except `store`, `scheduler`, `id::fresh`, `clock` and the signatures of `port`.

pub mod exit_record;
pub mod port;
pub mod store;
