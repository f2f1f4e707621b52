//! The seam to the collector: exited attempts in, artifacts or a reason out. Blocking; called on a blocking thread with a whole batch.

use std::path::PathBuf;
use std::sync::Arc;

use kentai_workflows::workflow::Format;
use serde::{Deserialize, Serialize};

/// One attempt whose tool ended well.
#[derive(Clone, Debug)]
pub struct Order {
    /// Attempt id.
    pub attempt: String,
    /// Its directory; outputs lie beneath `work/`, the log is `tool.log`.
    pub directory: PathBuf,
    /// Where the log goes, absolute; empty logs are dropped.
    pub log: PathBuf,
    /// Collect outputs too (false: only the log, the attempt failed).
    pub outputs: Option<Vec<Expected>>,
}

/// A declared output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Output name.
    pub name: String,
    /// Path or glob pattern beneath `work/`.
    pub path: String,
    /// Pattern: a list of files.
    pub glob: bool,
    /// A directory.
    pub dir: bool,
    /// May be absent.
    pub optional: bool,
    /// Declared format, by the language's spelling (`vcf.gz`).
    pub format: Option<String>,
}

/// What came of an [`Order`].
#[derive(Clone, Debug)]
pub struct Collected {
    /// Attempt id.
    pub attempt: String,
    /// Artifacts, in the store and durable; or what is wrong with an output.
    pub outcome: Result<Vec<Made>, Refused>,
    /// Bytes of log kept, if any.
    pub log_bytes: u64,
}

/// One artifact of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Output name.
    pub output: String,
    /// Position within a `glob`, else 0. Sorted by name.
    pub index: usize,
    /// Member of a list.
    pub list: bool,
    /// File name as the tool wrote it (last component).
    pub name: String,
    /// Lowercase hex; of the manifest for a directory.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// A directory.
    pub dir: bool,
}

/// Why outputs were not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The tool's fault: missing, empty, truncated, link, outside.
    #[error("output `{output}`: {reason}")]
    Bad {
        /// Output name.
        output: String,
        /// In words.
        reason: String,
    },
    /// Ours: disk full, I/O error. Nothing was decided; collect again later.
    #[error("cannot take in outputs: {0}")]
    Disk(String),
}

/// The collector, as the scheduler calls it: one answer per order.
pub type Collect = Arc<dyn Fn(Vec<Order>) -> Vec<Collected> + Send + Sync>;

/// The language's spelling of a format.
#[must_use]
pub fn format_name(format: Format) -> &'static str {
    match format {
        Format::Bam => "bam",
        Format::Cram => "cram",
        Format::VcfGz => "vcf.gz",
        Format::Bcf => "bcf",
        Format::FastqGz => "fastq.gz",
        Format::Json => "json",
        Format::Text => "text",
    }
}
