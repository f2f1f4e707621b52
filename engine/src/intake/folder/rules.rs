//! What makes a run folder whole, as a center sets it.

use super::observation::{Extent, FileSeen, Observation, fingerprint};
use crate::intake::completion::STATUS_FILE;
use crate::intake::run_info::{Family, RUN_INFO, RunInfo};
use crate::intake::sample_sheet::SHEET_FILE;
use crate::intake::stats::{BCL_CONVERT_FILE, BCL2FASTQ_FILE};

/// Must the instrument have said how the run ended?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompletionRule {
    /// Yes, unless it is of a family whose software does not say so (MiSeq, older HiSeq).
    #[default]
    ByInstrument,
    /// Yes.
    Always,
    /// No; but a bad status that is there counts.
    IfThere,
}

/// The rules of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Files that must be there, relative to the run folder.
    pub markers: Vec<String>,
    /// How long nothing may change, in seconds.
    pub settle_s: u64,
    /// Path of the sample sheet; `None`: the place's runs have none.
    pub sheet: Option<String>,
    /// About RunCompletionStatus.xml.
    pub completion: CompletionRule,
    /// Directories whose files do not belong to the run, such as the instrument's own later analysis. A directory with one of the
    /// markers in it belongs, whatever is written here.
    pub beside: Vec<String>,
    /// Where base calls are there at all, must they be there for every lane and cycle that RunInfo.xml names?
    pub every_cycle: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            markers: vec!["CopyComplete.txt".to_owned(), "RTAComplete.txt".to_owned()],
            settle_s: 120,
            sheet: Some(SHEET_FILE.to_owned()),
            completion: CompletionRule::default(),
            beside: vec!["Analysis".to_owned()],
            every_cycle: true,
        }
    }
}

impl Rules {
    /// `settle` in microseconds.
    #[must_use]
    pub fn settle_us(&self) -> i64 {
        i64::try_from(self.settle_s).unwrap_or(i64::MAX).saturating_mul(1_000_000)
    }

    /// The files that belong to the run.
    pub(super) fn counted<'a>(&'a self, observation: &'a Observation) -> impl Iterator<Item = &'a FileSeen> {
        observation.files().iter().filter(|file| self.counts(&file.path))
    }

    /// Does this path belong to the run?
    pub(super) fn counts(&self, path: &str) -> bool {
        let beneath = |path: &str, directory: &str| {
            path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        };
        let aside = |directory: &&String| {
            beneath(path, directory) && !self.markers.iter().any(|marker| beneath(marker, directory))
        };
        !self.beside.iter().any(|directory| aside(&directory))
    }

    /// Must a look bring the contents of the file at this path, and of how many bytes at most?
    #[must_use]
    pub fn document_bytes_max(&self, path: &str) -> Option<u64> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if path == RUN_INFO || path == STATUS_FILE {
            Some(4 << 20)
        } else if self.sheet.as_deref() == Some(path) {
            Some(16 << 20)
        } else {
            (self.counts(path) && [BCL_CONVERT_FILE, BCL2FASTQ_FILE].contains(&name)).then_some(64 << 20)
        }
    }

    /// SHA-256 over path, size and modification time of everything that belongs to the run.
    #[must_use]
    pub fn fingerprint(&self, observation: &Observation) -> String {
        fingerprint(self.counted(observation))
    }

    /// How much belongs to the run.
    #[must_use]
    pub fn extent(&self, observation: &Observation) -> Extent {
        Extent::of(self.counted(observation))
    }

    /// Must the instrument of this run have left [`STATUS_FILE`]?
    pub(super) fn needs_status(&self, run: &RunInfo) -> bool {
        match self.completion {
            CompletionRule::Always => true,
            CompletionRule::IfThere => false,
            CompletionRule::ByInstrument => {
                self.markers.iter().any(|marker| marker == STATUS_FILE)
                    || !matches!(run.family(), Family::MiSeq | Family::HiSeq)
            }
        }
    }
}
