//! The audit chain: every event linked to the one before it. Pure: it knows neither the database nor files.

pub mod link;
