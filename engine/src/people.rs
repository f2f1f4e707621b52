//! People and services: who they are, what they may do, and what needs two of them. Pure: random bytes and times come in as values.

pub mod permission;
pub mod role;
