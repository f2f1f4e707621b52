//! Placeholder for what is counted.
#[derive(Debug, Default)]
pub(crate) struct Meter;
