//! The line: every order line counted once, by stage, with how long the middle one has been there, how many are stuck, and how many moved
//! on within a day; what is late; and what each receiver has.
//!
//! It is counted over everything by index, for whoever may see the site, so that one count is good for all readers: ask for it when something
//! changed, not with every page.

use std::collections::BTreeMap;

use super::access::{Refused, is_outsider, part};
use super::report::{self, OmissionFilter};
use super::withdrawal::{self, Withdrawn};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::people::role::Role;
use crate::specimen::record::{Decision, Kind};
use crate::state::order::Stage;
use crate::store::read::Reader;
use crate::store::rows::board::Moved;
use crate::view::document;

const DAY_US: Micros = 86_400_000_000;
/// Due so soon is near.
pub const SOON_US: Micros = 3 * DAY_US;

/// The stations of the line, in order.
pub const STATIONS: [Stage; 14] = [
    Stage::Expected,
    Stage::Received,
    Stage::Accessioned,
    Stage::InLab,
    Stage::Sequencing,
    Stage::Sequenced,
    Stage::Ready,
    Stage::Analyzing,
    Stage::ReleaseReview,
    Stage::Released,
    Stage::Offered,
    Stage::Delivered,
    Stage::Acknowledged,
    Stage::Archived,
];

/// Where a stage lies: at a station, or beside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the line: which station.
    Station(usize),
    /// Beside the line: at which station.
    Siding(usize),
    /// Off it, for good.
    End,
}

/// Where a stage lies. Every stage lies somewhere, so that the numbers sum to the total.
#[must_use]
pub fn place(stage: Stage) -> Place {
    match stage {
        Stage::Expected => Place::Station(0),
        Stage::Received => Place::Station(1),
        Stage::Rejected => Place::Siding(1),
        Stage::Accessioned => Place::Station(2),
        Stage::InLab => Place::Station(3),
        Stage::AwaitingMaterial => Place::Siding(3),
        Stage::Sequencing => Place::Station(4),
        Stage::AwaitingTopUp => Place::Siding(4),
        Stage::Sequenced => Place::Station(5),
        Stage::SequenceQcFailed => Place::Siding(5),
        Stage::Ready => Place::Station(6),
        Stage::Analyzing => Place::Station(7),
        Stage::AnalysisFailed => Place::Siding(7),
        Stage::ReleaseReview => Place::Station(8),
        Stage::AnalysisQcFailed => Place::Siding(8),
        Stage::Released => Place::Station(9),
        Stage::Offered => Place::Station(10),
        Stage::Delivered => Place::Station(11),
        Stage::Refused => Place::Siding(11),
        Stage::Acknowledged => Place::Station(12),
        Stage::Recalled => Place::Siding(12),
        Stage::Archived => Place::Station(13),
        Stage::ClosedFailed | Stage::Withdrawn | Stage::Canceled => Place::End,
    }
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageCount {
    /// Which.
    pub stage: Stage,
    /// Order lines that stand there.
    pub count: i64,
    /// Since when the middle one of them does; none when there are none.
    pub middle_us: Option<Micros>,
    /// Of them, those whose expectation has lapsed.
    pub stuck: i64,
    /// Of them, those that are late, due soon or stuck: each counted once.
    pub trouble: i64,
}

/// Deliveries of one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Name of the target.
    pub target: String,
    /// How many, by status.
    pub counts: BTreeMap<String, i64>,
    /// Since when the oldest one waits for its receipt.
    pub oldest_us: Option<Micros>,
    /// When the receiver last did something with one: fetched, acknowledged, refused.
    pub contact_us: Option<Micros>,
}

/// Everything, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// When it was counted.
    pub at_us: Micros,
    /// Every stage, in the order of the line; each has its place.
    pub stages: Vec<StageCount>,
    /// Order lines that passed from a station to the next within a day before; the last station's is zero.
    pub moved: [i64; STATIONS.len()],
    /// Past their time.
    pub late: i64,
    /// Due within [`SOON_US`].
    pub soon: i64,
    /// Whose expectation has lapsed.
    pub stuck: i64,
    /// Late, due soon or stuck: each counted once.
    pub trouble: i64,
    /// Every receiver that something was ever for, by name.
    pub receivers: Vec<Receiver>,
    /// How many runs stand in each status.
    pub runs: Vec<(String, i64)>,
    /// How many instrument runs, shipments, cases, schedules and notices stand in each status: kind, status, how many.
    pub records: Vec<(String, String, i64)>,
    /// What was omitted: kind, how many (10,000 means that many or more).
    pub omissions: Vec<(String, i64)>,
    /// Why attempts failed in the last [`FAILED_DAYS`] days: cause, how many.
    pub causes: Vec<(String, i64)>,
    /// Bytes that the newest [`LOOKED_AT`] attempts asked for, bytes that they used, and how many say both.
    pub memory: (i64, i64, i64),
    /// The newest decisions about quality.
    pub decisions: Vec<Decided>,
    /// Events of the audit chain, and of how many a signed checkpoint speaks.
    pub chain: (i64, i64),
    /// How long the newest withdrawals took.
    pub withdrawn: Withdrawn,
}

/// Days of which failures are counted, as their list has them.
pub const FAILED_DAYS: i64 = 30;
/// Attempts that memory is summed up over.
pub const LOOKED_AT: i64 = 1_000;
/// Decisions that are shown.
const DECISIONS: i64 = 5;

/// A decision about quality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// `order_line O…`
    pub subject: String,
    /// What was decided.
    pub way: String,
    /// Why.
    pub reason: String,
    /// By whom.
    pub person: String,
    /// When, microseconds.
    pub at_us: Micros,
}

impl Board {
    /// All order lines.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.stages.iter().map(|stage| stage.count).sum()
    }

    /// One stage of it.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Option<&StageCount> {
        self.stages.iter().find(|one| one.stage == stage)
    }
}

/// May they see the whole center? People from outside do not.
///
/// # Errors
/// When they may not.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    if is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: it is about the whole center", who.name)));
    }
    part(who, &[Action::ReadSite], None).map(drop)
}

/// Counts everything. For all readers alike: whoever shows it asks [`may_see`] first.
///
/// # Errors
/// When the database cannot be read.
pub async fn count(reader: &Reader, now: Micros) -> Result<Board, Refused> {
    let due = reader.due_counts(now, now + SOON_US).await?;
    let counted: BTreeMap<String, i64> =
        reader.stage_counts().await?.into_iter().map(|row| (row.stage, row.count)).collect();
    let mut board = Board { at_us: now, ..Board::default() };
    for stage in Stage::ALL {
        let count = counted.get(stage.word()).copied().unwrap_or(0);
        let mut one = StageCount { stage: *stage, count, middle_us: None, stuck: 0, trouble: 0 };
        if count > 0 {
            one.middle_us = reader.stage_since(stage.word(), (count - 1) / 2).await?;
            one.stuck = reader.stage_lapsed(stage.word(), now).await?;
            for row in reader.moved(stage.word(), now - DAY_US).await? {
                passed(&mut board.moved, &row, now - DAY_US);
            }
        }
        one.trouble = one.stuck;
        if let Some(due) = due.iter().find(|due| due.stage == stage.word()) {
            board.late += due.late;
            board.soon += due.soon;
            one.trouble += due.late + due.soon - due.lapsed;
        }
        board.stuck += one.stuck;
        board.trouble += one.trouble;
        board.stages.push(one);
    }
    board.receivers = receivers(reader).await?;
    rest(reader, now, &mut board).await?;
    Ok(board)
}

/// Stations that an order line passed since then: going on from a siding is going on from its station.
fn passed(moved: &mut [i64; STATIONS.len()], row: &Moved, after: Micros) {
    let since: BTreeMap<String, Micros> =
        row.since.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let at = |word: &str| match place(Stage::parse(word)?) {
        Place::Station(at) | Place::Siding(at) => Some(at),
        Place::End => None,
    };
    let mut way: Vec<(Micros, usize)> = since.iter().filter_map(|(word, us)| Some((*us, at(word)?))).collect();
    way.sort_unstable();
    for pair in way.windows(2) {
        let [(_, from), (reached, to)] = pair else { continue };
        if *reached >= after && from < to {
            moved[*from..*to].iter_mut().for_each(|count| *count += 1);
        }
    }
}

/// What the rest of the page shows: each a count by index, or a few of the newest rows.
async fn rest(reader: &Reader, now: Micros, board: &mut Board) -> Result<(), Refused> {
    board.runs = reader.run_counts().await?;
    board.records = reader.record_counts().await?;
    // It is for all readers of the site: each kind of omission that all of them may see.
    let everybody = Principal { roles: vec![Role::Operator], ..Principal::default() };
    let filter = OmissionFilter { limit: 1, ..OmissionFilter::default() };
    for one in report::omissions(reader, &everybody, now, &filter).await? {
        let count = i64::try_from(one.items.len()).unwrap_or(0) + one.more;
        board.omissions.push((one.kind, count));
    }
    board.memory = reader.newest_memory(LOOKED_AT).await?;
    board.causes = reader.causes_since(now - FAILED_DAYS * DAY_US).await?;
    for row in reader.newest_records(Kind::Decision.word(), DECISIONS).await? {
        let doc: Decision = document("a decision", &row.document)?;
        let Decision { subject, way, reason, person, at_us, .. } = doc;
        board.decisions.push(Decided { subject, way, reason, person, at_us });
    }
    board.withdrawn = withdrawal::summed_up(reader).await?;
    board.chain = (reader.head().await?.0, reader.signed_until().await?);
    Ok(())
}

async fn receivers(reader: &Reader) -> Result<Vec<Receiver>, Refused> {
    let mut all: BTreeMap<String, Receiver> = BTreeMap::new();
    for row in reader.delivery_counts().await? {
        let one = all.entry(row.owner.clone()).or_insert_with(|| Receiver { target: row.owner, ..Receiver::default() });
        if matches!(row.status.as_str(), "pulling" | "partly_acknowledged" | "acknowledged" | "refused") {
            one.contact_us = one.contact_us.max(Some(row.newest_us));
        }
        one.counts.insert(row.status, row.count);
    }
    for (target, since_us) in reader.unanswered().await? {
        if let Some(one) = all.get_mut(&target) {
            one.oldest_us = Some(since_us);
        }
    }
    Ok(all.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_station_lies_where_it_stands_and_every_siding_beside_one() {
        for (at, stage) in STATIONS.iter().enumerate() {
            assert_eq!(place(*stage), Place::Station(at));
        }
        let count = |wanted: fn(Place) -> bool| Stage::ALL.iter().filter(|stage| wanted(place(**stage))).count();
        let stations = count(|place| matches!(place, Place::Station(_)));
        let ends = count(|place| place == Place::End);
        assert_eq!((stations, ends, Stage::ALL.len() - stations - ends), (STATIONS.len(), 3, 8));
    }

    #[test]
    fn who_goes_on_from_a_siding_goes_on_from_its_station_and_yesterday_is_over() {
        let mut moved = [0; STATIONS.len()];
        let since = r#"{"expected":1,"received":5,"in_lab":120,"sequence_qc_failed":130,"ready":140,"canceled":150}"#;
        let row = Moved { stage: "canceled".into(), created_us: 1, since: Some(since.into()) };
        passed(&mut moved, &row, 100);
        // Received → in lab passes accessioned; the end is no station.
        assert_eq!(moved[..8], [0, 1, 1, 1, 1, 1, 0, 0]);
    }
}
