//! Reports over everything: the tracked items of each order line, what nobody expected or brought or answered, and how long things took.
//!
//! None of them keeps all that it reads in memory: two are read by page, the third counts while it reads.

mod omissions;
mod progress;
mod turnaround;

pub use omissions::{MORE_MAX, Omission, OmissionFilter, Omissions, kinds, omissions};
pub use progress::{Progress, progress};
pub use turnaround::{Turnaround, Window, turnaround, turnaround_in};
