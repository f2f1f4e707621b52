//! Reading what a run's files say of the person: depths of the sex chromosomes, a fingerprint's comparison. Small files only, each
//! recognized by what is in it; whatever else a run makes is passed by.

use std::path::PathBuf;

use kentai_workflows::value::FileValue;

use crate::qc::finding::About;
use crate::qc::import::{Format, detect, values};
use crate::qc::verdict::Value;
use crate::scheduler::live::LiveRun;

/// A table of a genome's contigs, alternative ones and decoys included, has a quarter of it.
const FILE_MAX: u64 = 4 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::scheduler) struct Work {
    /// Path and SHA-256.
    files: Vec<(PathBuf, String)>,
}

impl Work {
    /// Every file of the run's ended steps that is small enough to be one.
    pub(in crate::scheduler) fn of(run: &LiveRun) -> Self {
        let outputs = run.steps.iter().filter(|step| step.status.is_satisfied()).flat_map(|step| step.outputs.values());
        let single = outputs.flat_map(|output| output.as_array().map_or(std::slice::from_ref(output), Vec::as_slice));
        let small =
            single.filter_map(FileValue::of).filter(|file| !file.dir && file.size.is_some_and(|size| size <= FILE_MAX));
        Self {
            files: small
                .filter_map(|file| Some((PathBuf::from(file.path?), file.sha256.unwrap_or_default())))
                .collect(),
        }
    }

    pub(in crate::scheduler) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The values of each file that says something of the person. Blocking.
    pub(in crate::scheduler) fn done(&self) -> Vec<Vec<Value>> {
        self.files.iter().map(read).filter(|values| !values.is_empty()).collect()
    }
}

/// A damaged file is for the gate that reads it, or for whoever brings it: here it only says nothing, and is logged.
fn read((path, sha256): &(PathBuf, String)) -> Vec<Value> {
    const OURS: [Format; 3] = [Format::SamtoolsCoverage, Format::MosdepthSummary, Format::BcftoolsGtcheck];
    let Ok(bytes) = std::fs::read(path) else { return Vec::new() };
    let Some(format) = detect(&bytes).filter(|format| OURS.contains(format)) else { return Vec::new() };
    let mut found = values(format, &bytes).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "what it says of the person cannot be read");
        Vec::new()
    });
    found.retain(|value| About::ALL.iter().any(|about| about.metrics().contains(&value.metric.as_str())));
    found.iter_mut().for_each(|value| value.source_sha256.clone_from(sha256));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_of_the_person_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            (path, name.to_owned())
        };
        let work = Work {
            files: vec![
                file("coverage", include_bytes!("../../qc/fixtures/one_sample/coverage.txt")),
                // Without X and Y.
                file("small", include_bytes!("../../qc/fixtures/coverage.txt")),
                file("stats", include_bytes!("../../qc/fixtures/stats.txt")),
                file("gtcheck", include_bytes!("../../qc/fixtures/one_sample/gtcheck.txt")),
                file("cut", b"#rname\tstartpos\n1\n"),
                (directory.path().join("gone"), String::new()),
            ],
        };
        let found = work.done();
        let said: Vec<_> =
            found.iter().flatten().map(|value| (value.metric.as_str(), value.source_sha256.as_str())).collect();
        let expected = [("sex_x_ratio", "coverage"), ("sex_y_ratio", "coverage"), ("identity_concordance", "gtcheck")];
        assert_eq!(said, expected);
    }
}
