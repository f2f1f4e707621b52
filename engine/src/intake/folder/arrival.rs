//! What a complete run folder brought, and what of it fits nowhere.

use std::collections::BTreeSet;

use kentai_workflows::diagnostic::Language;

use super::inspect::Found;
use super::observation::{Extent, Observation};
use super::rules::Rules;
use crate::intake::fastq::Discovery;
use crate::intake::run_info::RunInfo;
use crate::intake::sample_sheet::{Mistake, SheetRow};
use crate::intake::stats::LaneReads;
use crate::intake::words::Words;

/// A run folder at the moment that it was whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// The folder's name beneath its place.
    pub name: String,
    /// Of everything that belongs to it.
    pub fingerprint: String,
    /// How much that is.
    pub extent: Extent,
    /// Instrument, flow cell, reads, lanes.
    pub run: RunInfo,
    /// Every sample in every lane, whether anybody knows it or not.
    pub rows: Vec<SheetRow>,
    /// What somebody should look at in the sheet.
    pub warnings: Vec<Mistake>,
    /// Fragments per lane and sample; empty when nothing was demultiplexed yet.
    pub stats: Vec<LaneReads>,
    /// FASTQ files; empty when nothing was demultiplexed yet.
    pub fastq: Discovery,
}

/// Something of an arrival that has no other half. It is kept and shown, never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    /// A row of the sheet names no known specimen.
    RowWithoutSpecimen {
        /// 1-based row of the sheet.
        row: usize,
        /// As the sheet calls it.
        sample: String,
    },
    /// FASTQ files or counts name a sample that neither the sheet nor any specimen does.
    DataWithoutSpecimen {
        /// As the data calls it.
        sample: String,
    },
    /// FASTQ files or counts name a known specimen that the sheet does not.
    DataWithoutRow {
        /// As the data calls it.
        sample: String,
    },
    /// A FASTQ file's name says nothing about whose it is.
    UnknownFile {
        /// Relative to the run folder.
        path: String,
    },
    /// One name in two directories: one of them would be counted twice.
    DoubledFile {
        /// Relative to the run folder.
        first: String,
        /// Relative to the run folder.
        second: String,
    },
    /// There are FASTQ files or counts, but none of this sample.
    RowWithoutData {
        /// 1-based row of the sheet.
        row: usize,
        /// As the sheet calls it.
        sample: String,
    },
}

impl Omission {
    /// As a sentence.
    #[must_use]
    pub fn say(&self, language: Language) -> String {
        let words = match self {
            Self::RowWithoutSpecimen { row, sample } => Words::new(
                format!("row {row}: no specimen `{sample}` is known"),
                format!("{row} 行目: 検体 `{sample}` は登録されていません"),
            ),
            Self::DataWithoutSpecimen { sample } => Words::new(
                format!("there is data of `{sample}`, and no specimen of that name is known"),
                format!("`{sample}` のデータがありますが、検体は登録されていません"),
            ),
            Self::DoubledFile { first, second } => Words::new(
                format!("`{first}` and `{second}` have the same name"),
                format!("`{first}` と `{second}` は同じ名前です"),
            ),
            Self::DataWithoutRow { sample } => Words::new(
                format!("there is data of `{sample}`, which the sheet does not name"),
                format!("シートにない `{sample}` のデータがあります"),
            ),
            Self::UnknownFile { path } => Words::new(
                format!("`{path}` does not say whose reads it holds"),
                format!("`{path}` はどの検体のリードか分かりません"),
            ),
            Self::RowWithoutData { row, sample } => Words::new(
                format!("row {row}: there is no data of `{sample}`"),
                format!("{row} 行目: `{sample}` のデータがありません"),
            ),
        };
        words.say(language).to_owned()
    }
}

impl Arrival {
    pub(super) fn new(found: Found, fingerprint: &str, rules: &Rules, observation: &Observation) -> Self {
        Self {
            name: observation.name.clone(),
            fingerprint: fingerprint.to_owned(),
            extent: rules.extent(observation),
            run: found.run,
            rows: found.sheet.rows,
            warnings: found.sheet.warnings,
            stats: found.stats,
            fastq: found.fastq,
        }
    }

    /// The same for every watcher of this run, wherever its folder lies: the idempotency key of what follows.
    #[must_use]
    pub fn key(&self) -> String {
        format!("instrument_run/{}/{}", self.run.run_id, self.run.flow_cell)
    }

    /// Whatever has no other half, by kind and in the order of the sheet. `known`: is there a specimen of this name?
    #[must_use]
    pub fn omissions(&self, known: impl Fn(&str) -> bool) -> Vec<Omission> {
        let mut rows: Vec<(usize, &str)> = self.rows.iter().map(|row| (row.row, row.sample.as_str())).collect();
        rows.dedup();
        let named: BTreeSet<&str> = rows.iter().map(|(_, sample)| *sample).collect();
        let data = self.samples_with_data();
        let strangers = rows.iter().filter(|(_, sample)| !known(sample));
        let strangers =
            strangers.map(|(row, sample)| Omission::RowWithoutSpecimen { row: *row, sample: (*sample).to_owned() });
        let unnamed = data.iter().filter(|sample| !named.contains(*sample)).filter_map(|sample| {
            let sample = String::from(*sample);
            match known(&sample) {
                false => Some(Omission::DataWithoutSpecimen { sample }),
                // A place without sheets misses no row.
                true => (!named.is_empty()).then_some(Omission::DataWithoutRow { sample }),
            }
        });
        let files = self.fastq.unknown.iter().map(|path| Omission::UnknownFile { path: path.clone() });
        let doubled = self.fastq.doubled.iter();
        let doubled =
            doubled.map(|(first, second)| Omission::DoubledFile { first: first.clone(), second: second.clone() });
        let empty = rows.iter().filter(|(_, sample)| !data.is_empty() && !data.contains(sample));
        let empty = empty.map(|(row, sample)| Omission::RowWithoutData { row: *row, sample: (*sample).to_owned() });
        strangers.chain(unnamed).chain(files).chain(doubled).chain(empty).collect()
    }

    fn samples_with_data(&self) -> BTreeSet<&str> {
        let files = self.fastq.groups.iter().map(|group| group.sample.as_str());
        let counted = self.stats.iter().filter(|row| row.reads > 0).map(|row| row.sample.as_str());
        let undetermined = crate::intake::fastq_name::UNDETERMINED;
        files.chain(counted).filter(|sample| *sample != undetermined).collect()
    }
}
