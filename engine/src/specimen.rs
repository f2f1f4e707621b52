//! The center's records and what is known about them without asking anybody: pure. It knows no database and no clock.

pub mod barcode;
pub mod check_character;
pub mod expectation;
pub mod import;
pub mod record;
pub mod sentence;
