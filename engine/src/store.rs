//! The store: the only room that touches the database and the artifact files.

pub mod artifact;
