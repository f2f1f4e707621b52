//! Run folders as sequencers write them, tiny: markers, run information, sheet, counts and one read per file; and a look at one.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use kentai_engine::intake::folder::{FileSeen, Observation, Rules};

const MARKERS: [&str; 2] = ["RTAComplete.txt", "CopyComplete.txt"];
const LANES: u32 = 8;

/// How far an instrument has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is still writing.
    Growing,
    /// It ended, and not well.
    Broken,
    /// Everything is there.
    Whole,
}

/// A run folder to be written.
pub(super) struct Folder<'a> {
    pub(super) name: &'a str,
    pub(super) number: usize,
    pub(super) instrument: &'a str,
    /// Sample, and its reads.
    pub(super) samples: &'a [(String, u64)],
    /// Lanes of each sample.
    pub(super) lanes_each: u32,
    pub(super) state: State,
    /// When it was written, microseconds.
    pub(super) at: i64,
}

/// Flow cell of a run's number.
pub(super) fn flow_cell(number: usize) -> String {
    format!("22KT{number:04}")
}

impl Folder<'_> {
    /// Writes it beneath a place.
    pub(super) fn write(&self, place: &Path) -> io::Result<()> {
        let root = place.join(self.name);
        fs::create_dir_all(root.join("fastq/Reports"))?;
        self.file(&root, "RunInfo.xml", self.info().as_bytes())?;
        if self.state == State::Growing {
            return Ok(());
        }
        let status = if self.state == State::Broken { "RunErrored" } else { "RunCompleted" };
        let status = format!(
            "<?xml version=\"1.0\"?><RunCompletionStatus><RunStatus>{status}</RunStatus></RunCompletionStatus>"
        );
        self.file(&root, "RunCompletionStatus.xml", status.as_bytes())?;
        let mut sheet = "[Header]\nFileFormatVersion,2\n\n[BCLConvert_Data]\nLane,Sample_ID,Index\n".to_owned();
        let mut counts = "Lane,SampleID,Index,# Reads,# Perfect Index Reads,# One Mismatch Index Reads,# Two Mismatch Index Reads,% Reads,% Perfect Index Reads,% One Mismatch Index Reads,% Two Mismatch Index Reads\n".to_owned();
        for (place, (sample, reads)) in (0..).zip(self.samples) {
            for part in 0..self.lanes_each {
                let lane = (place + part) % LANES + 1;
                // Text in memory takes whatever is written.
                let _ = writeln!(sheet, "{lane},{sample},{}", index(place));
                let pairs = reads / 2 / u64::from(self.lanes_each);
                let _ = writeln!(counts, "{lane},{sample},{},{pairs},{pairs},0,0,1.0,1.0,0.0,0.0", index(place));
                for mate in [1, 2] {
                    let name = format!("fastq/{sample}_S{}_L{lane:03}_R{mate}_001.fastq.gz", place + 1);
                    self.file(&root, &name, &read(&format!("{}:{lane}:{sample}", self.name), mate)?)?;
                }
            }
        }
        self.file(&root, "SampleSheet.csv", sheet.as_bytes())?;
        self.file(&root, "fastq/Reports/Demultiplex_Stats.csv", counts.as_bytes())?;
        MARKERS.iter().try_for_each(|marker| self.file(&root, marker, b""))
    }

    fn info(&self) -> String {
        let (name, number, cell) = (self.name, self.number, flow_cell(self.number));
        let read = |number: u32, cycles: u32, index: &str| {
            format!("<Read Number=\"{number}\" NumCycles=\"{cycles}\" IsIndexedRead=\"{index}\"/>")
        };
        let reads = [read(1, 151, "N"), read(2, 8, "Y"), read(3, 8, "Y"), read(4, 151, "N")].concat();
        format!(
            "<?xml version=\"1.0\"?><RunInfo Version=\"6\"><Run Id=\"{name}\" Number=\"{number}\"><Flowcell>{cell}</Flowcell>\
             <Instrument>{}</Instrument><Date>{}</Date><Reads>{reads}</Reads>\
             <FlowcellLayout LaneCount=\"{LANES}\" SurfaceCount=\"2\" SwathCount=\"4\" TileCount=\"78\"/></Run></RunInfo>",
            self.instrument,
            jiff::Timestamp::from_microsecond(self.at).unwrap_or_default(),
        )
    }

    fn file(&self, root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(root.join(name))?;
        file.write_all(bytes)?;
        file.set_modified(UNIX_EPOCH + Duration::from_micros(u64::try_from(self.at).unwrap_or(0)))
    }
}

/// Eight bases that no other sample of a run has.
fn index(place: u32) -> String {
    (0..8).map(|base| ['A', 'C', 'G', 'T'][usize::try_from(place >> (2 * base) & 3).unwrap_or(0)]).collect()
}

fn read(name: &str, mate: u32) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    write!(packed, "@{name} {mate}\nACGTACGTAC\n+\nFFFFFFFFFF\n")?;
    packed.finish()
}

/// A look at one run folder of a place, as a watcher takes it.
pub(super) fn look(place: &Path, name: &str, rules: &Rules, now: i64) -> io::Result<Observation> {
    let mut observation = Observation::new(name, now, now);
    let (mut files, mut below) = (Vec::new(), vec![String::new()]);
    while let Some(at) = below.pop() {
        for entry in fs::read_dir(place.join(name).join(&at))? {
            let entry = entry?;
            let (known, leaf) = (entry.metadata()?, entry.file_name().to_string_lossy().into_owned());
            let path = if at.is_empty() { leaf } else { format!("{at}/{leaf}") };
            if known.is_dir() {
                below.push(path);
                continue;
            }
            if rules.document_bytes_max(&path).is_some() {
                observation.documents.insert(path.clone(), fs::read(entry.path())?);
            }
            let since = known.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let mtime_us = i64::try_from(since.as_micros()).unwrap_or(0);
            files.push(FileSeen { path, size: known.len(), mtime_us });
        }
    }
    Ok(observation.with_files(files))
}
