//! Reading metrics from what tools wrote: bytes in, a number out. Pure; nobody here opens a file.

pub mod reader;
