//! Reading metrics from what tools wrote: bytes in, a number out. Pure; nobody here opens a file.

pub mod control;
pub mod criteria;
pub mod finding;
pub mod identity;
pub mod import;
pub mod metric;
pub mod reader;
pub mod rehearse;
pub mod sex;
pub mod verdict;
