//! The API, one room per version.

pub(crate) mod once;
pub(crate) mod tagged;
pub(crate) mod v1;
