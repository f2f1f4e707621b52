//! Specimens that nobody gave: simulated reads with known variants, and the comparison of calls with that truth.
//!
//! Pure calculation and plain files; nothing here knows the engine, a site or a workflow beyond the columns of its sheet.

pub(crate) mod big;
pub(crate) mod compare;
mod genome;
mod reads;
pub(crate) mod simulate;
mod variants;

pub(crate) use compare::compare;
pub(crate) use simulate::simulate;
