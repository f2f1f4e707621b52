//! Requests of people, one file each. Each checks, then records; nothing happens outside before the commit.

mod answer;
mod call;
mod cancel;
mod hold;
mod retry;
