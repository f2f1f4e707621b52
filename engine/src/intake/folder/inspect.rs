//! Everything that one look can say about a folder, but for how long it has been so.

use std::collections::BTreeSet;

use super::observation::{Observation, is_partial};
use super::rules::Rules;
use super::wait::Wait;
use crate::intake::completion::{Completion, STATUS_FILE};
use crate::intake::fastq::{self, Discovery};
use crate::intake::run_info::{RUN_INFO, RunInfo};
use crate::intake::sample_sheet::{self, Sheet};
use crate::intake::stats::{self, LaneReads};
use crate::intake::words::Words;

/// Mistakes of a sheet that are kept with the state; the count says how many there are.
const MISTAKES_KEPT: usize = 100;

/// A run that ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Failed(Words),
    StoppedEarly(Words),
}

/// What the documents say, all of it readable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) run: RunInfo,
    pub(super) sheet: Sheet,
    pub(super) stats: Vec<LaneReads>,
    pub(super) fastq: Discovery,
}

/// One look, judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Inspected {
    /// Whatever is missing or wrong.
    pub(super) waits: Vec<Wait>,
    /// All markers are there.
    pub(super) markers: bool,
    pub(super) end: Option<End>,
    /// `None` when the run's information cannot be read.
    pub(super) found: Option<Box<Found>>,
}

pub(super) fn inspect(rules: &Rules, observation: &Observation) -> Inspected {
    let mut waits: Vec<Wait> = Vec::new();
    let missing = rules.markers.iter().filter(|marker| !observation.has(marker));
    waits.extend(missing.map(|name| Wait::Marker { name: name.clone() }));
    let markers = waits.is_empty();
    let run = document(observation, RUN_INFO, true, &mut waits, RunInfo::parse);
    let end = status(rules, observation, run.as_ref(), &mut waits);
    waits.extend(copying(rules, observation));
    let found = run.map(|run| {
        let sheet = sheet(rules, observation, &run, &mut waits);
        waits.extend(cycles(rules, observation, &run));
        let paths = rules.counted(observation).map(|file| file.path.as_str());
        let fastq = fastq::discover(paths, Some(run.paired()));
        waits.extend(mates(&fastq));
        let stats = counts(rules, observation, &mut waits);
        Box::new(Found { run, sheet, stats, fastq })
    });
    Inspected { waits, markers, end, found }
}

/// A parsed document; when it is not there or cannot be read, the reason joins `waits`.
fn document<T>(
    observation: &Observation,
    name: &str,
    required: bool,
    waits: &mut Vec<Wait>,
    parse: impl FnOnce(&[u8]) -> Result<T, Words>,
) -> Option<T> {
    let Some(bytes) = observation.documents.get(name) else {
        // A marker of the same name has been missed already.
        let missed = waits.iter().any(|wait| matches!(wait, Wait::Marker { name: marker } if marker == name));
        if required && !missed {
            waits.push(Wait::Document { name: name.to_owned() });
        }
        return None;
    };
    parse(bytes).map_err(|reason| waits.push(Wait::Unreadable { name: name.to_owned(), reason })).ok()
}

fn status(rules: &Rules, observation: &Observation, run: Option<&RunInfo>, waits: &mut Vec<Wait>) -> Option<End> {
    let required = run.is_none_or(|run| rules.needs_status(run));
    let completion = document(observation, STATUS_FILE, required, waits, Completion::parse)?;
    let end = match &completion {
        Completion::Good { .. } => return None,
        Completion::StoppedEarly { .. } => End::StoppedEarly(completion.words()),
        Completion::Failed { .. } => End::Failed(completion.words()),
    };
    // First: no marker that is still missing matters more.
    waits.insert(0, Wait::Ended { reason: completion.words() });
    Some(end)
}

fn copying(rules: &Rules, observation: &Observation) -> Option<Wait> {
    let mut partial =
        rules.counted(observation).filter(|file| file.path.split('/').any(is_partial)).map(|file| &file.path);
    let path = partial.next()?.clone();
    Some(Wait::Copying { path, files: 1 + partial.count() as u64 })
}

fn sheet(rules: &Rules, observation: &Observation, run: &RunInfo, waits: &mut Vec<Wait>) -> Sheet {
    let Some(name) = &rules.sheet else { return Sheet::default() };
    let sheet = document(observation, name, true, waits, |bytes| Ok(sample_sheet::read(bytes, run.lanes)));
    let sheet = sheet.unwrap_or_default();
    if !sheet.mistakes.is_empty() {
        let mistakes = sheet.mistakes.iter().take(MISTAKES_KEPT).cloned().collect();
        waits.push(Wait::Sheet { mistakes, count: sheet.mistakes.len() as u64 });
    }
    sheet
}

/// Where base calls are kept by lane and cycle, each of RunInfo.xml's must be there.
fn cycles(rules: &Rules, observation: &Observation, run: &RunInfo) -> Option<Wait> {
    let there: BTreeSet<(u32, u32)> =
        rules.counted(observation).filter_map(|file| lane_and_cycle(&file.path)).collect();
    if !rules.every_cycle || there.is_empty() {
        return None;
    }
    let wanted = (1..=run.lanes).flat_map(|lane| (1..=run.cycles()).map(move |cycle| (lane, cycle)));
    let mut missing = wanted.filter(|place| !there.contains(place));
    let (lane, cycle) = missing.next()?;
    let of = u64::from(run.lanes) * u64::from(run.cycles());
    Some(Wait::Cycles { lane, cycle, missing: 1 + missing.count() as u64, of })
}

/// `Data/Intensities/BaseCalls/L001/C12.1/…` is lane 1, cycle 12.
fn lane_and_cycle(path: &str) -> Option<(u32, u32)> {
    let rest = path.strip_prefix("Data/Intensities/BaseCalls/L")?;
    let (lane, rest) = rest.split_once('/')?;
    let (cycle, _) = rest.strip_prefix('C')?.split_once('/')?;
    Some((lane.parse().ok()?, cycle.strip_suffix(".1")?.parse().ok()?))
}

fn mates(fastq: &Discovery) -> Option<Wait> {
    let first = fastq.lonely.first()?;
    Some(Wait::Mate { missing: first.missing.clone(), count: fastq.lonely.len() as u64 })
}

/// The counts of the latest demultiplexing: names with numbers sort by the numbers.
fn counts(rules: &Rules, observation: &Observation, waits: &mut Vec<Wait>) -> Vec<LaneReads> {
    let reports = observation.documents.keys().filter(|path| is_report(path) && rules.counts(path));
    let Some(latest) = reports.max_by_key(|path| (numbers(path), path.len())) else { return Vec::new() };
    document(observation, latest, true, waits, |bytes| stats::read(latest, bytes)).unwrap_or_default()
}

fn is_report(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == stats::BCL_CONVERT_FILE || name == stats::BCL2FASTQ_FILE
}

/// The directories of a path that are numbers, such as `Analysis/2/…`.
fn numbers(path: &str) -> Vec<u64> {
    path.split('/').filter_map(|part| part.parse().ok()).collect()
}
