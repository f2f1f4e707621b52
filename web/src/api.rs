//! The API, one room per version.

pub(crate) mod v1;
