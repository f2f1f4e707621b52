//! Couriers: they carry a finished package to one target, whole or not at all. They do not decide what is in it.

mod bag;
pub mod directory;
