//! What a data center sees: packages that it fetches with programs of its own, receipts, and whatever ends that.

mod certificates;
mod cuts;
mod drs;
mod encrypted;
mod fetch;
mod late;
mod letters;
pub(crate) mod openapi;
mod proof;
mod pull;
mod receipts;
mod retire;
mod right;
