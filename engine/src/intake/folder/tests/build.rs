//! A run folder of two lanes and four cycles, in memory.

use std::collections::BTreeMap;

use crate::intake::folder::{FileSeen, Observation};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;

const RUN_INFO: &str = r#"<?xml version="1.0"?>
<RunInfo Version="6"><Run Id="20260102_LH00123_0042_A22ABCDLT3" Number="42">
<Flowcell>22ABCDLT3</Flowcell><Instrument>LH00123</Instrument><Date>2026-01-02T03:04:05Z</Date>
<Reads><Read Number="1" NumCycles="1" IsIndexedRead="N"/><Read Number="2" NumCycles="2" IsIndexedRead="Y"/>
<Read Number="3" NumCycles="1" IsIndexedRead="N"/></Reads>
<FlowcellLayout LaneCount="2"/></Run></RunInfo>"#;

const SHEET: &str =
    "[Header]\nFileFormatVersion,2\n[BCLConvert_Data]\nLane,Sample_ID,Index\n1,S-A,AA\n2,S-A,AA\n1,S-B,CC\n";

/// Every file of a whole folder: path and content.
pub(super) const GOOD: [(&str, &str); 13] = [
    ("RunInfo.xml", RUN_INFO),
    ("SampleSheet.csv", SHEET),
    ("RunCompletionStatus.xml", "<RunCompletionStatus><RunStatus>RunCompleted</RunStatus></RunCompletionStatus>"),
    ("RTAComplete.txt", ""),
    ("CopyComplete.txt", ""),
    ("Data/Intensities/BaseCalls/L001/C1.1/L001_1.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L001/C2.1/L001_1.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L001/C3.1/L001_1.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L001/C4.1/L001_1.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L002/C1.1/L002_2.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L002/C2.1/L002_2.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L002/C3.1/L002_2.cbcl", "b"),
    ("Data/Intensities/BaseCalls/L002/C4.1/L002_2.cbcl", "b"),
];

/// Content, modification time, and bytes that nobody reads.
type Stored = (String, i64, u64);

#[derive(Clone)]
pub(super) struct Folder {
    pub(super) now: i64,
    files: BTreeMap<String, Stored>,
}

impl Folder {
    pub(super) fn empty() -> Self {
        Self { now: 0, files: BTreeMap::new() }
    }

    pub(super) fn whole() -> Self {
        let mut folder = Self::empty();
        for (path, _) in GOOD {
            folder.restore(path);
        }
        folder
    }

    pub(super) fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), (text.to_owned(), self.now, 0));
    }

    pub(super) fn remove(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some(), "{path}");
    }

    /// Writes the file of a whole folder.
    pub(super) fn restore(&mut self, path: &str) {
        let (_, text) = GOOD.iter().find(|(good, _)| *good == path).expect("a file of the whole folder");
        self.write(path, text);
    }

    pub(super) fn grow(&mut self, path: &str) {
        let now = self.now;
        let stored = self.files.get_mut(path).expect("there");
        (stored.1, stored.2) = (now, stored.2 + 1_000);
    }

    /// Creates a file of the whole folder, or makes it another one.
    pub(super) fn touch(&mut self, file: usize) {
        let (path, _) = GOOD[file];
        if self.files.contains_key(path) { self.grow(path) } else { self.restore(path) }
    }

    pub(super) fn look(&self) -> Observation {
        let seen = |(path, stored): (&String, &Stored)| FileSeen {
            path: path.clone(),
            size: stored.0.len() as u64 + stored.2,
            mtime_us: stored.1,
        };
        let mut look = Observation::new("run", self.now, self.now).with_files(self.files.iter().map(seen).collect());
        let small = |path: &str| ["xml", "csv", "json"].iter().any(|end| path.ends_with(end));
        let documents = self.files.iter().filter(|(path, _)| small(path));
        look.documents = documents.map(|(path, stored)| (path.clone(), stored.0.clone().into_bytes())).collect();
        look
    }
}
