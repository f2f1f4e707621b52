//! Intake: what a sequencer leaves behind, and when it is whole. Bytes and listings in, decisions out.
//!
//! Pure: nobody here opens a file, looks at a clock or knows a specimen. `kentai_executors::intake` looks at disks and hands over
//! what it saw; [`folder::judge`] says, exactly once per run folder, that it is complete; [`schedule`] says when a time has come.

pub mod completion;
pub mod fastq;
pub mod fastq_name;
pub mod folder;
pub mod run_info;
pub mod sample_sheet;
pub mod schedule;
pub mod stats;
pub mod words;
mod xml;

#[cfg(test)]
mod tests;
