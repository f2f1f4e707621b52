//! Genomes and clinical records of the same people, joined by pseudonym: who has which, and which uses consent allows. It reads what was
//! pulled and what the data center keeps; nothing clinical goes anywhere from here.

pub(crate) mod phenopacket;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::Path;

use jiff::Timestamp;
use kentai_engine::handoff::delivery::{self, Document};
use kentai_engine::handoff::offer::Status;
use kentai_engine::store::index;
use serde::Serialize;

use super::directory::{Directory, PACKAGES};
use super::state::State;
use super::{Failure, beneath, measure};

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Index {
    /// By pseudonym.
    pub participants: Vec<Participant>,
    /// What could not be read.
    pub bad: Vec<Bad>,
    /// What a person may want to look at, and is no fault: several phenopackets of one participant.
    pub notes: Vec<String>,
}

/// One pseudonym: a line of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Participant {
    /// Pseudonym.
    pub participant: String,
    /// What there is.
    pub has: Has,
    /// Uses that consent allows now.
    pub uses: Vec<String>,
    /// Why there is no use, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_none: Option<String>,
    /// Deliveries, oldest first.
    pub deliveries: Vec<Genome>,
    /// Clinical records.
    pub records: Vec<Record>,
}

/// What there is of a participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Has {
    Both,
    Genome,
    Clinical,
    /// Offered, and not here; or taken back.
    #[default]
    Neither,
}

/// A delivery of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Genome {
    pub delivery: String,
    pub specimen: String,
    /// As the center has it.
    pub status: &'static str,
    /// Beneath `packages/`, when it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Uses that it came with and that the center still names.
    pub uses: Vec<String>,
    #[serde(skip)]
    consent: Option<String>,
}

/// A clinical record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Record {
    /// The phenopacket's id.
    pub id: String,
    /// Where it lies.
    pub file: String,
    /// Line of a file of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bad {
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub why: String,
}

impl Has {
    /// For people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Genome => "genome",
            Self::Clinical => "clinical",
            Self::Neither => "neither",
        }
    }
}

impl Index {
    /// Joins what was pulled with the phenopackets at `records`: a directory of `*.json` and `*.jsonl`, or one such file.
    pub(crate) fn make(directory: &Directory, records: &Path) -> Result<Self, Failure> {
        let mut people: BTreeMap<String, Participant> = BTreeMap::new();
        let mut bad = Vec::new();
        for state in directory.states()? {
            let Some(pseudonym) = state.offer.participant.clone().filter(|it| !it.is_empty()) else { continue };
            let genome = genome(directory, &state).unwrap_or_else(|why| {
                let file = directory.place(&format!("{PACKAGES}/{}", state.offer.folder));
                bad.push(Bad { file, line: None, why: why.message });
                Genome::of(&state)
            });
            people.entry(pseudonym).or_default().deliveries.push(genome);
        }
        records::read(records, &mut bad, |subject, record| people.entry(subject).or_default().records.push(record))?;
        let participants: Vec<Participant> =
            people.into_iter().map(|(participant, found)| found.judged(participant)).collect();
        let notes = participants.iter().filter_map(Participant::repeated).collect();
        Ok(Self { participants, bad, notes })
    }

    /// The index as a database's rows.
    pub(crate) fn rows(&self) -> Vec<index::Participant> {
        self.participants.iter().map(Participant::row).collect()
    }

    /// The index as JSON lines, a participant each.
    pub(crate) fn lines(&self) -> Result<String, serde_json::Error> {
        let lines: Result<Vec<String>, _> = self.participants.iter().map(serde_json::to_string).collect();
        Ok(lines?.into_iter().fold(String::new(), |text, line| text + &line + "\n"))
    }
}

impl Participant {
    /// Several phenopackets of one participant may be visits, or a pseudonym that was given twice: a person must know.
    fn repeated(&self) -> Option<String> {
        if self.records.len() < 2 {
            return None;
        }
        let line = |one: &Record| one.line.map_or_else(String::new, |line| format!(", line {line}"));
        let places: Vec<String> =
            self.records.iter().map(|one| format!("`{}` ({}{})", one.id, one.file, line(one))).collect();
        let count = places.len();
        Some(format!("`subject.id` {} is in {count} phenopackets: {}", self.participant, places.join(", ")))
    }

    fn row(&self) -> index::Participant {
        let delivery = |one: &Genome| index::Delivery {
            delivery: one.delivery.clone(),
            specimen: one.specimen.clone(),
            status: one.status,
            folder: one.folder.clone(),
            created: one.created.clone(),
            uses: one.uses.clone(),
        };
        let record = |one: &Record| index::Record {
            id: one.id.clone(),
            file: one.file.clone(),
            line: one.line.and_then(|line| i64::try_from(line).ok()),
        };
        index::Participant {
            participant: self.participant.clone(),
            has: self.has.word(),
            why_none: self.why_none.clone(),
            uses: self.uses.clone(),
            deliveries: self.deliveries.iter().map(delivery).collect(),
            records: self.records.iter().map(record).collect(),
        }
    }

    /// Says what there is and what is allowed, once everything is known.
    fn judged(mut self, participant: String) -> Self {
        self.participant = participant;
        let age = |one: &Genome| one.created.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
        self.deliveries.sort_by(|one, other| age(one).cmp(&age(other)).then_with(|| one.delivery.cmp(&other.delivery)));
        let here = |one: &&Genome| one.folder.is_some();
        self.has = match (self.deliveries.iter().any(|one| here(&one)), self.records.is_empty()) {
            (true, false) => Has::Both,
            (true, true) => Has::Genome,
            (false, false) => Has::Clinical,
            (false, true) => Has::Neither,
        };
        // The newest one that stands says what is allowed: what came before it may be wider than what was agreed to since.
        let newest = self.deliveries.iter().rfind(here);
        match newest {
            None if self.deliveries.is_empty() => self.why_none = Some("no delivery says what is allowed".to_owned()),
            None => self.why_none = Some("no delivery that stands is here".to_owned()),
            Some(newest) => match newest.consent.as_deref() {
                None | Some("given" | "partial") => self.uses.clone_from(&newest.uses),
                Some(other) => self.why_none = Some(format!("consent is {other}")),
            },
        }
        if self.uses.is_empty() && self.why_none.is_none() {
            self.why_none = Some("the newest delivery allows no use".to_owned());
        }
        self
    }
}

impl Genome {
    /// Of one that is not here, or must not be used.
    fn of(state: &State) -> Self {
        let (delivery, specimen) = (state.offer.delivery.clone(), state.offer.specimen.clone());
        Self { delivery, specimen, status: state.offer.status.word(), ..Self::default() }
    }
}

fn genome(directory: &Directory, state: &State) -> Result<Genome, Failure> {
    let mut genome = Genome::of(state);
    let stands = !state.set_aside && !matches!(state.offer.status, Status::Recalled);
    let Some(pulled) = state.pulled.as_ref().filter(|_| stands) else { return Ok(genome) };
    let document = document(directory, state)?;
    let consent = document.consent.unwrap_or_default();
    // The center's newest word can take a use away, and never add one that the package did not come with.
    let still = |scope: &String| state.offer.uses.contains(scope);
    let uses: BTreeSet<String> = consent.scopes.into_iter().filter(still).collect();
    genome.folder = Some(pulled.folder.clone());
    genome.created = Some(document.created);
    genome.uses = uses.into_iter().collect();
    genome.consent = consent.status;
    Ok(genome)
}

/// What the package says of itself, if it still says what it said when it was checked.
fn document(directory: &Directory, state: &State) -> Result<Document, Failure> {
    let pulled = state.pulled.clone().unwrap_or_default();
    let path = format!("data/{}", delivery::NAME);
    let place = directory.place(&format!("{PACKAGES}/{}/{path}", pulled.folder));
    let disk = |error: std::io::Error| Failure::disk(&place, &error);
    let changed = |why: &dyn std::fmt::Display| Failure::new(crate::exit::Exit::CheckFailed, format!("{place}: {why}"));
    let packages = directory.folder(PACKAGES)?;
    let package = beneath::directory(packages.as_fd(), &pulled.folder).map_err(disk)?;
    let measured = beneath::file(package.as_fd(), &path).and_then(|file| measure::file(&file)).map_err(disk)?;
    let offered = pulled.entries.iter().find(|entry| entry.path == path);
    if offered.is_none_or(|entry| entry.sha256 != measured.sha256) {
        return Err(changed(&"it is not what was pulled"));
    }
    let mut text = String::new();
    let file = beneath::file(package.as_fd(), &path).map_err(disk)?;
    file.take(measured.bytes).read_to_string(&mut text).map_err(disk)?;
    Document::read(&text).map_err(|error| changed(&error))
}

#[cfg(test)]
mod tests;
