//! Decisions, pure: statuses, evidence and a time go in; what to do next, and why, comes out.

pub mod admit;
pub mod choose;
pub mod forecast;
pub mod gate;
pub mod letters;
pub mod rehearse;
pub mod retain;
pub mod retry;
pub mod verdict;
