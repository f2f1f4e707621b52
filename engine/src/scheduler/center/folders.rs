//! Run folders: what a look made known becomes lanes, once. What does not fit is kept and listed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kentai_workflows::plan::is_id;
use serde_json::json;

use super::desk::By;
use super::order::stage;
use crate::id::fresh;
use crate::intake::folder::{Arrival, FolderState, Observation, Rules, Said, judge};
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Deviation, InstrumentRun, Kind, LaneLibrary};
use crate::state::instrument_run::{self, Status};
use crate::state::order::{Event, Stage};

/// Names of instrument runs that were taken in: the same for every watcher.
const TAKEN: &str = "instrument_run";

/// One look at a run folder of a place.
#[derive(Debug)]
pub struct Look {
    /// Name of the place.
    pub place: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its rules.
    pub rules: Rules,
    /// What was seen.
    pub observation: Observation,
}

/// The id of the record of a folder at a place.
#[must_use]
pub fn folder_id(place: &str, folder: &str) -> String {
    let id = format!("{place}.{folder}");
    if is_id(&id) { id } else { format!("{place}.{:x}", crc(folder)) }
}

/// What happened to the record since the last look. A look sees where a folder stands; what it must have gone through in between is said
/// too.
fn steps_to(status: &str, state: &FolderState) -> &'static [instrument_run::Event] {
    use instrument_run::Event as E;
    let at = Status::parse(status);
    match state {
        FolderState::Seen(_) if at == Some(Status::Seen) => &[],
        FolderState::Seen(_) => &[E::Moved],
        FolderState::Settling(_) if at == Some(Status::Settling) => &[],
        FolderState::Settling(_) => &[E::Settling],
        FolderState::Complete { .. } if at == Some(Status::Complete) => &[],
        FolderState::Complete { .. } if at == Some(Status::Settling) => &[E::Completed],
        FolderState::Complete { .. } => &[E::Settling, E::Completed],
        FolderState::Failed { .. } if at == Some(Status::Failed) => &[],
        FolderState::Failed { .. } => &[E::Failed],
        FolderState::StoppedEarly { .. } if at == Some(Status::StoppedEarly) => &[],
        FolderState::StoppedEarly { .. } => &[E::StoppedEarly],
        FolderState::Changed { .. } if at == Some(Status::Changed) => &[],
        FolderState::Changed { .. } => &[E::Changed],
    }
}

/// Names of folders may be anything; ids may not.
fn crc(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Service {
    /// A look at a run folder: judged against what is stored, and stored with whatever it leads to, in one transaction.
    pub(in crate::scheduler) async fn on_look(&mut self, look: Look) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        let by = By { name: format!("watcher:{}", look.place), role: String::new() };
        let id = folder_id(&look.place, &look.observation.name);
        let known = self.desk.find::<InstrumentRun>(Kind::InstrumentRun, &id).await?;
        let before = known.as_ref().and_then(|held| held.doc.watch.clone());
        let judged = judge(before.as_ref(), &look.rules, &look.observation);
        if before.as_ref() == Some(&judged.state) && judged.said.is_none() {
            return Ok(());
        }
        let mut held = match known {
            Some(held) => held,
            None => {
                let doc = InstrumentRun {
                    place: look.place.clone(),
                    folder: look.observation.name.clone(),
                    ..InstrumentRun::default()
                };
                let mut held = self.desk.new_record(Kind::InstrumentRun, &id, Status::Seen.word(), doc);
                held.row.parent.clone_from(&look.place);
                held
            }
        };
        for event in steps_to(&held.row.status, &judged.state) {
            held.go(*event)?;
        }
        held.doc.waits = if judged.state.needs_documents() { judged.state.why().en } else { String::new() };
        held.doc.watch = Some(judged.state.clone());
        if let Some(Said::Complete(arrival)) = &judged.said {
            held.doc.instrument.clone_from(&arrival.run.instrument);
            held.doc.flow_cell.clone_from(&arrival.run.flow_cell);
            held.doc.unknown = self.unknown_of(arrival).await?;
        }
        let body = json!({ "state": judged.state.word(), "why": judged.state.why().en, "unknown": held.doc.unknown });
        self.desk.record(&mut held, &format!("folder_{}", judged.state.word()), &by, &body);
        match judged.said {
            Some(Said::Complete(arrival)) => self.arrived_folder(&look.path, &arrival, &by).await,
            Some(said) => {
                self.folder_deviation(&id, &said, &by);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Samples of the sheet that no specimen has.
    async fn unknown_of(&self, arrival: &Arrival) -> Result<Vec<String>, Refusal> {
        let mut unknown = Vec::new();
        for row in &arrival.rows {
            if !unknown.contains(&row.sample) && self.specimen_of_sample(&row.sample).await?.is_none() {
                unknown.push(row.sample.clone());
            }
        }
        Ok(unknown)
    }

    fn folder_deviation(&mut self, id: &str, said: &Said, by: &By) {
        let (description, severity) = match said {
            Said::Failed(reason) => (format!("the run failed: {}", reason.en), "major"),
            Said::StoppedEarly(reason) => (format!("the run was stopped early: {}", reason.en), "major"),
            Said::Changed { .. } => ("the folder changed after it was complete".to_owned(), "critical"),
            Said::Complete(_) => return,
        };
        let doc = Deviation {
            about: format!("instrument_run {id}"),
            description,
            severity: severity.into(),
            ..Deviation::default()
        };
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::Deviation, &fresh("d"), "open", doc);
        id.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "deviation_opened", by, &body);
    }

    /// The lanes of a whole folder. Another watcher of the same run finds its name taken.
    async fn arrived_folder(&mut self, path: &Path, arrival: &Arrival, by: &By) -> Result<(), Refusal> {
        let run = run_id(arrival);
        if self.desk.named(TAKEN, &arrival.key()).await?.is_some() {
            return Ok(());
        }
        self.desk.name(TAKEN, &arrival.key(), &run);
        let root = path.join(&arrival.name);
        let mut arrived = BTreeSet::new();
        for doc in lanes(arrival, &root) {
            if let Some((specimen, _)) = self.specimen_of_sample(&doc.sample).await? {
                self.sequencing_started(&specimen, &run, by).await?;
            }
            if let Some((_, specimen)) = self.take_lane(&run, doc, by).await? {
                arrived.insert(specimen);
            }
        }
        // Only now: judged lane by lane, a specimen on two lanes would be short of reads for the time of one.
        for specimen in arrived {
            self.specimen_sequenced(&specimen, &run, by).await?;
        }
        Ok(())
    }

    /// Nobody said that the specimen went onto an instrument, and there it was.
    async fn sequencing_started(&mut self, specimen: &str, run: &str, by: &By) -> Result<(), Refusal> {
        for mut order in self.desk.orders_of(specimen).await? {
            if matches!(stage(&order)?, Stage::Accessioned | Stage::InLab) {
                let body = json!({ "instrument_run": run });
                self.desk.move_order(&mut order, Event::SequencingStarted, by, body).await?;
            }
        }
        Ok(())
    }
}

/// Short and printable: the flow cell names the run in read groups; else the folder does.
fn run_id(arrival: &Arrival) -> String {
    let id = &arrival.run.run_id;
    if is_id(id) { id.clone() } else { format!("run-{:x}", crc(id)) }
}

/// One entry per lane and sample of the sheet, with reads and files; and what data there is beyond the sheet.
fn lanes(arrival: &Arrival, root: &Path) -> Vec<LaneLibrary> {
    let mut wanted: Vec<(u32, String)> = arrival.rows.iter().map(|row| (row.lane, row.sample.clone())).collect();
    wanted.extend(arrival.stats.iter().map(|one| (one.lane, one.sample.clone())));
    wanted.extend(arrival.fastq.groups.iter().map(|group| (group.lane.unwrap_or(1), group.sample.clone())));
    wanted.sort();
    wanted.dedup();
    wanted.retain(|(_, sample)| sample != crate::intake::fastq_name::UNDETERMINED);
    // A pair is one fragment, and an order counts reads.
    let mates = if arrival.run.paired() { 2 } else { 1 };
    let one = |(lane, sample): (u32, String)| {
        let counted = arrival.stats.iter().filter(|one| one.lane == lane && one.sample == sample);
        let reads: u64 = counted.map(|one| one.reads * mates).sum();
        let groups = arrival.fastq.groups.iter();
        let groups = groups.filter(|group| group.sample == sample && group.lane.unwrap_or(1) == lane);
        let absolute = |path: &str| root.join(path).to_string_lossy().into_owned();
        let files = groups
            .flat_map(|group| {
                let second = group.r2.iter().map(|path| (2, absolute(path)));
                std::iter::once((1, absolute(&group.r1))).chain(second)
            })
            .collect();
        let counted = reads > 0;
        LaneLibrary {
            lane,
            sample,
            reads,
            counts_toward_order: counted,
            use_downstream: true,
            decided_by: "rule:complete_folder".into(),
            reason: if counted { String::new() } else { "no demultiplexing statistics count it".into() },
            files,
        }
    };
    wanted.into_iter().map(one).collect()
}

/// What a watcher knows of the folders of a place: does the next look need their documents?
#[must_use]
pub fn needs_documents(watch: Option<&FolderState>) -> bool {
    watch.is_none_or(FolderState::needs_documents)
}
