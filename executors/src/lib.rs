//! Hands: whatever runs an attempt, takes in its outputs or carries a package. They decide nothing.
//!
//! The engine owns the traits (`kentai_engine::port`); this room implements them and does not know what a run is.

mod attempt;
pub mod collect;
pub mod courier;
pub mod docker;
pub mod intake;
pub mod messenger;
pub mod pretend;
pub mod process;
pub mod scripted;
pub mod slurm;
mod static_check;
pub mod witness;

pub use static_check::check_static;
