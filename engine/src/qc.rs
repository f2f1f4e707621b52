//! Reading metrics from what tools wrote: bytes in, a number out. Pure; nobody here opens a file.

pub mod criteria;
pub mod metric;
pub mod reader;
pub mod verdict;
