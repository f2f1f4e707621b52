//! FASTQ files of a listing, grouped: specimen × lane, first read with second, and what does not fit.
//!
//! Paths only. A sample is what the file's name calls it; whether a specimen of that name is known is for others to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fastq_name::{FastqName, Mate, UNDETERMINED};

/// The reads of one sample from one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// As the name calls it.
    pub sample: String,
    /// `None` when the lanes were joined.
    pub lane: Option<u32>,
    /// 1 with today's software.
    pub chunk: u32,
    /// Path of the first reads.
    pub r1: String,
    /// Path of the second reads; `None` for single reads.
    pub r2: Option<String>,
}

/// A file whose mate is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lonely {
    /// As the name calls it.
    pub sample: String,
    /// The file that is there.
    pub path: String,
    /// The path that is not.
    pub missing: String,
}

/// All FASTQ files of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// By directory, sample, lane.
    pub groups: Vec<Group>,
    /// Files without their mate.
    pub lonely: Vec<Lonely>,
    /// Reads without a known index.
    pub undetermined: Vec<String>,
    /// FASTQ files with names of another kind: nobody can say whose they are, so they are listed.
    pub unknown: Vec<String>,
    /// The same name in two directories: one of them would be counted twice.
    pub doubled: Vec<(String, String)>,
}

impl Discovery {
    /// Is there no FASTQ file at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Groups the FASTQ files among `paths`. `paired`: each needs a mate; `None`: when there is any second read.
#[must_use]
pub fn discover<'a>(paths: impl IntoIterator<Item = &'a str>, paired: Option<bool>) -> Discovery {
    let mut found = Discovery::default();
    let mut named: BTreeMap<(&str, FastqName), &str> = BTreeMap::new();
    for path in paths {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        match FastqName::parse(name) {
            Some(name) if name.sample == UNDETERMINED => found.undetermined.push(path.to_owned()),
            Some(name) if matches!(name.mate, Mate::R1 | Mate::R2) => {
                named.insert((directory, name), path);
            }
            Some(_) => {}
            None if is_fastq(name) => found.unknown.push(path.to_owned()),
            None => {}
        }
    }
    let paired = paired.unwrap_or_else(|| named.keys().any(|(_, name)| name.mate == Mate::R2));
    for ((directory, name), path) in &named {
        pair(&named, directory, name, path, paired, &mut found);
    }
    found.doubled = doubled(&named);
    found
}

fn pair(
    named: &BTreeMap<(&str, FastqName), &str>,
    directory: &str,
    name: &FastqName,
    path: &str,
    paired: bool,
    found: &mut Discovery,
) {
    let other = name.mate_of(if name.mate == Mate::R1 { Mate::R2 } else { Mate::R1 });
    let mate = named.get(&(directory, other.clone())).map(|path| (*path).to_owned());
    if mate.is_none() && (paired || name.mate == Mate::R2) {
        let missing = if directory.is_empty() { other.to_string() } else { format!("{directory}/{other}") };
        found.lonely.push(Lonely { sample: name.sample.clone(), path: path.to_owned(), missing });
    } else if name.mate == Mate::R1 {
        let (sample, r1) = (name.sample.clone(), path.to_owned());
        found.groups.push(Group { sample, lane: name.lane, chunk: name.chunk, r1, r2: mate });
    }
}

fn doubled(named: &BTreeMap<(&str, FastqName), &str>) -> Vec<(String, String)> {
    let mut seen: BTreeMap<&FastqName, &str> = BTreeMap::new();
    let twice = |((_, name), path)| seen.insert(name, path).map(|first| (first.to_owned(), String::from(path)));
    named.iter().map(|(key, path)| ((key.0, &key.1), *path)).filter_map(twice).collect()
}

fn is_fastq(name: &str) -> bool {
    [".fastq.gz", ".fq.gz", ".fastq", ".fq"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_specimens_lanes_and_mates() {
        let paths = [
            "F/S-A_S1_L002_R2_001.fastq.gz",
            "F/S-A_S1_L001_R1_001.fastq.gz",
            "F/S-A_S1_L001_R2_001.fastq.gz",
            "F/S-A_S1_L002_R1_001.fastq.gz",
            "F/S-A_S1_L001_I1_001.fastq.gz",
            "F/Undetermined_S0_L001_R1_001.fastq.gz",
            "F/other.fq.gz",
            "RunInfo.xml",
        ];
        let found = discover(paths, None);
        let lanes: Vec<_> = found.groups.iter().map(|group| (group.lane, group.r2.is_some())).collect();
        assert_eq!(lanes, [(Some(1), true), (Some(2), true)]);
        assert_eq!((found.undetermined.len(), found.unknown.as_slice()), (1, &["F/other.fq.gz".to_owned()][..]));
        assert!(found.lonely.is_empty() && found.doubled.is_empty());
    }

    #[test]
    fn a_missing_mate_is_named() {
        let found = discover(["F/S-A_S1_L001_R1_001.fastq.gz", "F/S-B_S2_L001_R2_001.fastq.gz"], None);
        let missing: Vec<_> = found.lonely.iter().map(|lonely| lonely.missing.as_str()).collect();
        assert_eq!(missing, ["F/S-A_S1_L001_R2_001.fastq.gz", "F/S-B_S2_L001_R1_001.fastq.gz"]);
        assert!(found.groups.is_empty());
    }

    #[test]
    fn qc_skipped_because_data_is_external() {
        // Nothing that is found says where it came from, so nothing behind can treat it as less in need of a gate.
        let names = ["S-A_S1_L001_R1_001.fastq.gz", "S-A_S1_L001_R2_001.fastq.gz"];
        let shape = |paths: [String; 2], paired| {
            let found = discover(paths.iter().map(String::as_str), paired);
            found.groups.into_iter().map(|group| (group.sample, group.lane, group.r2.is_some())).collect::<Vec<_>>()
        };
        let ours = shape(names.map(|name| format!("Data/{name}")), Some(true));
        assert_eq!(ours, shape(names.map(|name| format!("from-elsewhere/{name}")), None));
    }

    #[test]
    fn single_reads_need_no_mate() {
        let paths = ["S-A_S1_R1_001.fastq.gz"];
        assert_eq!(discover(paths, None).groups.len(), 1);
        assert_eq!(discover(paths, Some(false)).groups[0].r2, None);
        assert_eq!(discover(paths, Some(true)).lonely.len(), 1);
    }

    #[test]
    fn the_same_name_in_two_directories_is_seen() {
        let found = discover(["a/S-A_S1_R1_001.fastq.gz", "b/S-A_S1_R1_001.fastq.gz"], Some(false));
        assert_eq!(found.doubled, [("a/S-A_S1_R1_001.fastq.gz".to_owned(), "b/S-A_S1_R1_001.fastq.gz".to_owned())]);
    }
}
