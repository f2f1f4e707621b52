//! Withdrawals as whoever may see them sees them: cases with how long it took to stop and to hear the last answer, and one case with its
//! things, its messages and what happened.

use super::access::{Refused, part};
use super::list::records_back;
use super::notice::NoticeView;
use super::record::{HistoryView, RecordView, actions, record, told};
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::specimen::record::{Case, CaseItem, Kind};
use crate::state::case_item::Status as Thing;
use crate::state::withdrawal::Status;
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows::center::Record;
use crate::view::{Page, document};

/// Cases over which times are summed up: the newest.
const LOOKED_AT: i64 = 50;
/// Things whose events are told with the case's own.
const TOLD_THINGS: usize = 300;
/// Events that are told, the newest.
const EVENTS: usize = 200;

/// How many things of a case stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Things {
    /// Nobody decided yet.
    pub listed: i64,
    /// They wait for the second person.
    pub proposed: i64,
    /// They are being done.
    pub confirmed: i64,
    /// They are done.
    pub done: i64,
}

impl Things {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> i64 {
        self.listed + self.proposed + self.confirmed + self.done
    }
}

/// A case, as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseLine {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// Record id of the participant.
    pub participant: String,
    /// Program and pseudonym; empty when the participant is not there.
    pub named: (String, String),
    /// Who announced the participant.
    pub institution: String,
    /// Uses that are taken back; empty: all.
    pub scopes: Vec<String>,
    /// Where the notice lies.
    pub evidence: String,
    /// What the participant said of it; may be empty.
    pub reason: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When the participant said so.
    pub asked_us: Micros,
    /// When nothing of the participant ran any more.
    pub stopped_us: Option<Micros>,
    /// When the outputs were closed.
    pub sealed_us: Option<Micros>,
    /// When it was closed.
    pub closed_us: Option<Micros>,
    /// Its things.
    pub things: Things,
    /// Messages that must be answered, and those that are.
    pub answers: (i64, i64),
    /// When the last answer came so far.
    pub answered_us: Option<Micros>,
    /// Runs that were ended.
    pub runs: Vec<String>,
}

impl CaseLine {
    /// From the participant's word until nothing ran any more; none: not yet, or only a use was taken back.
    #[must_use]
    pub fn to_stop_us(&self) -> Option<Micros> {
        self.stopped_us.map(|at| at - self.asked_us)
    }

    /// From the participant's word until everybody had answered; none: not yet, or nobody had to.
    #[must_use]
    pub fn to_receipt_us(&self) -> Option<Micros> {
        let (asked, answered) = self.answers;
        self.answered_us.filter(|_| asked > 0 && asked == answered).map(|at| at - self.asked_us)
    }

    /// May it be closed as it stands?
    #[must_use]
    pub fn may_close(&self) -> bool {
        let stands = matches!(Status::parse(&self.status), Some(Status::Sealed | Status::Notified));
        stands && self.things.done == self.things.all() && self.answers.0 == self.answers.1
    }
}

/// A thing of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct ThingView {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: Thing,
    /// What it is, and what was decided.
    pub doc: CaseItem,
}

/// A case with everything that is to be decided and answered.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFile {
    /// The case.
    pub line: CaseLine,
    /// Its things: what waits for the second person, what nobody decided, what is being done, what is done.
    pub things: Vec<ThingView>,
    /// Its messages.
    pub notices: Vec<NoticeView>,
    /// What happened to it, its things and its messages, the newest first; of very many, the newest.
    pub events: Vec<HistoryView>,
}

/// Cases, the newest first: those with this status, before the case `before`, at most `limit`.
///
/// # Errors
/// When they may see none, or the database cannot be read.
pub async fn cases(
    reader: &Reader,
    who: &Principal,
    status: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Page<CaseLine>, Refused> {
    if let Some(word) = status.filter(|word| Status::parse(word).is_none()) {
        let words: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
        return Err(Refused::Bad(format!("`{}` is no status; one of {}", word.escape_debug(), words.join(", "))));
    }
    let filter = RecordFilter {
        kind: Kind::Case.word().into(),
        status: status.map(str::to_owned),
        after: before.map(str::to_owned),
        limit,
        ..RecordFilter::default()
    };
    let found = records_back(reader, who, filter).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for row in &found.items {
        items.push(line(reader, row).await?);
    }
    Ok(Page { items, next: found.next })
}

async fn line(reader: &Reader, row: &RecordView) -> Result<CaseLine, Refused> {
    let doc: Case = serde_json::from_value(row.document.clone()).unwrap_or_default();
    let (listed, proposed, confirmed, done) = reader.case_things(&row.id).await?;
    let (asked, answered, answered_us) = reader.case_answers(&row.id).await?;
    let named = reader.participant(&row.parent).await?.map(|row| (row.program, row.pseudonym)).unwrap_or_default();
    let closed = row.status == Status::Closed.word();
    let updated: Option<jiff::Timestamp> = row.updated.parse().ok();
    Ok(CaseLine {
        id: row.id.clone(),
        status: row.status.clone(),
        participant: row.parent.clone(),
        named,
        institution: row.institution.clone(),
        scopes: doc.scopes,
        evidence: doc.evidence,
        reason: doc.reason,
        recorded_by: doc.recorded_by,
        asked_us: doc.noticed_us,
        stopped_us: doc.stopped_us,
        sealed_us: doc.sealed_us,
        closed_us: updated.filter(|_| closed).map(jiff::Timestamp::as_microsecond),
        things: Things { listed, proposed, confirmed, done },
        answers: (asked, answered),
        answered_us,
        runs: doc.runs,
    })
}

/// May they see withdrawals at all? For pages that say no more than that there are some.
///
/// # Errors
/// When they may not.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    part(who, actions(Kind::Case).unwrap_or_default(), None).map(drop)
}

/// One case.
///
/// # Errors
/// When it is not there, they may not see it, or the database cannot be read.
pub async fn case_file(reader: &Reader, who: &Principal, id: &str) -> Result<CaseFile, Refused> {
    let row = record(reader, who, Kind::Case.word(), id).await?;
    let rank = |status: Thing| match status {
        Thing::Proposed => 0,
        Thing::Listed => 1,
        Thing::Confirmed => 2,
        Thing::Done => 3,
    };
    let mut things = Vec::new();
    for row in reader.records_of(Kind::CaseItem.word(), id).await? {
        let unknown = || crate::store::Error::Unknown { what: "a thing of a case", found: row.status.clone() };
        let status = Thing::parse(&row.status).ok_or_else(unknown)?;
        things.push(ThingView { status, doc: document("a thing of a case", &row.document)?, id: row.record_id });
    }
    things.sort_by(|one, other| (rank(one.status), &one.id).cmp(&(rank(other.status), &other.id)));
    let notices = reader.records_of(Kind::Notice.word(), id).await?;
    let events = events(reader, id, &things, &notices).await?;
    let notices = notices.iter().map(NoticeView::of).collect::<Result<_, _>>()?;
    Ok(CaseFile { line: line(reader, &row).await?, things, notices, events })
}

async fn events(
    reader: &Reader,
    id: &str,
    things: &[ThingView],
    notices: &[Record],
) -> Result<Vec<HistoryView>, Refused> {
    let stream = |kind: Kind, id: &str| format!("{}:{id}", kind.word());
    let mut streams = vec![stream(Kind::Case, id)];
    // That a thing is listed is told by the case.
    let moved = things.iter().filter(|thing| thing.status != Thing::Listed).take(TOLD_THINGS);
    streams.extend(moved.map(|thing| stream(Kind::CaseItem, &thing.id)));
    streams.extend(notices.iter().map(|row| stream(Kind::Notice, &row.record_id)));
    let mut rows = reader.events_of(&streams).await?;
    rows.retain(|row| row.kind != "case_item_listed");
    rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
    rows.truncate(EVENTS);
    Ok(rows.iter().map(|row| told(row, false)).collect())
}

/// How long something took: the middle one and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The middle one.
    pub middle_us: Micros,
    /// The longest.
    pub longest_us: Micros,
}

/// The newest withdrawals summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// How many were looked at.
    pub cases: i64,
    /// From the participant's word until nothing ran any more.
    pub to_stop: Option<Spread>,
    /// From the participant's word until everybody had answered.
    pub to_receipt: Option<Spread>,
    /// Cases that wait for an answer.
    pub unanswered: i64,
}

/// Sums the newest withdrawals up. It names nobody, and is for all readers of the site.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn summed_up(reader: &Reader) -> Result<Withdrawn, Refused> {
    let (mut stops, mut receipts, mut told) = (Vec::new(), Vec::new(), Withdrawn::default());
    for row in reader.newest_records(Kind::Case.word(), LOOKED_AT).await? {
        let line = line(reader, &RecordView::of(&row)).await?;
        told.cases += 1;
        told.unanswered += i64::from(line.answers.0 > line.answers.1);
        stops.extend(line.to_stop_us());
        receipts.extend(line.to_receipt_us());
    }
    Ok(Withdrawn { to_stop: spread(stops), to_receipt: spread(receipts), ..told })
}

fn spread(mut all: Vec<Micros>) -> Option<Spread> {
    all.sort_unstable();
    let middle_us = *all.get(all.len().checked_sub(1)? / 2)?;
    Some(Spread { middle_us, longest_us: *all.last()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_answered_when_everybody_answered_and_closed_when_all_is_done() {
        let line = CaseLine {
            status: "sealed".into(),
            asked_us: 10,
            stopped_us: Some(25),
            things: Things { done: 2, ..Things::default() },
            answers: (2, 1),
            answered_us: Some(40),
            ..CaseLine::default()
        };
        assert_eq!((line.to_stop_us(), line.to_receipt_us(), line.may_close()), (Some(15), None, false));
        let answered = CaseLine { answers: (2, 2), ..line.clone() };
        assert_eq!((answered.to_receipt_us(), answered.may_close()), (Some(30), true));
        let open = CaseLine { things: Things { proposed: 1, done: 1, ..Things::default() }, ..answered.clone() };
        assert!(!open.may_close());
        assert!(!CaseLine { status: "listed".into(), ..answered.clone() }.may_close());
        // Nobody had to be asked: there is no last answer, and nothing to wait for.
        let nobody = CaseLine { answers: (0, 0), answered_us: None, ..answered };
        assert_eq!((nobody.to_receipt_us(), nobody.may_close()), (None, true));
    }

    #[test]
    fn the_middle_of_several_is_one_of_them() {
        assert_eq!(spread(Vec::new()), None);
        assert_eq!(spread(vec![5, 1, 9, 7]), Some(Spread { middle_us: 5, longest_us: 9 }));
    }
}
