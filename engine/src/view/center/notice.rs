//! Notices and their letters, as each person may see them: those of withdrawals only who may see withdrawals, all others whoever sees
//! the site.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Refused, missing, part, see};
use super::record::actions;
use crate::people::permission::{Action, Principal, permit};
use crate::specimen::record::{self, Kind, LetterState, is_of_withdrawal};
use crate::store::read::{NoticeFilter, Reader};
use crate::store::rows::center::Record;
use crate::view::{Page, document, time};

/// One letter of a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterView {
    /// `webhook`, `mail`.
    pub channel: String,
    /// Where to.
    pub address: String,
    /// `due`, `taken`, `dead`, `dropped`, `called_back`.
    pub state: LetterState,
    /// How often it was tried since it was last put on its way.
    pub tries: u32,
    /// When it was last tried; absent: never.
    pub tried: Option<String>,
    /// When it is tried next; absent: it is not.
    pub next: Option<String>,
    /// What was said at the last try; may be empty.
    pub said: String,
}

/// A message to somebody outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeView {
    /// Its id.
    pub id: String,
    /// Institution, target or `biobank`.
    pub to: String,
    /// What it says: `withdrawal`, `sample.offered` …
    pub subject: String,
    /// What it is about; may be empty.
    pub about: String,
    /// `pending`, `sending`, `sent`, `undelivered`, `answered`, `called_back`.
    pub status: String,
    /// When it was written.
    pub written: String,
    /// By when it must be answered; absent: it needs no answer.
    pub due: Option<String>,
    /// The answer's reference; may be empty.
    pub receipt: String,
    /// Its letters; none: only the signed file under `notices/` of the site.
    pub letters: Vec<LetterView>,
    /// The message itself.
    pub body: Value,
}

impl NoticeView {
    pub(super) fn of(row: &Record) -> Result<Self, Refused> {
        let doc: record::Notice = document("a notice", &row.document)?;
        let letters = doc.letters.into_iter().map(|letter| LetterView {
            next: (letter.state == LetterState::Due).then(|| time(letter.next_us)),
            tried: letter.tried_us.map(time),
            channel: letter.channel,
            address: letter.address,
            state: letter.state,
            tries: letter.tries,
            said: letter.said,
        });
        Ok(Self {
            id: row.record_id.clone(),
            about: row.parent.clone(),
            status: row.status.clone(),
            written: time(row.created_us),
            due: doc.answer.then(|| time(doc.due_us)),
            letters: letters.collect(),
            to: doc.to,
            subject: doc.subject,
            receipt: doc.receipt,
            body: doc.body,
        })
    }
}

/// Who sees notices at all.
const ACTIONS: &[Action] = &[Action::ReadSite];

/// May they see what is said of withdrawals?
pub(super) fn sees_withdrawals(who: &Principal) -> bool {
    let needs = actions(Kind::Notice).unwrap_or_default();
    needs.iter().any(|action| permit(who, *action, None).is_ok())
}

/// May they see this notice? To whoever sees no withdrawals, one of a withdrawal and one that is not there are one thing.
///
/// # Errors
/// When they may not.
pub(super) fn may_see(who: &Principal, row: Option<&Record>, id: &str) -> Result<(), Refused> {
    let gone = || missing("notice", id);
    // They are the center's own: nothing of them is told to people from outside.
    see(who, ACTIONS, row.map(|_| ""), gone())?;
    let doc: Option<record::Notice> = row.map(|row| document("a notice", &row.document)).transpose()?;
    let hidden = doc.is_none_or(|doc| is_of_withdrawal(&doc.subject) && !sees_withdrawals(who));
    if hidden { Err(gone()) } else { Ok(()) }
}

/// Which notices.
#[derive(Clone, Debug, Default)]
pub struct NoticeWish {
    /// Only with this status.
    pub status: Option<String>,
    /// Only for this institution, target or `biobank`.
    pub to: Option<String>,
    /// Only with this subject.
    pub subject: Option<String>,
    /// Only those before this one.
    pub before: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Notices, the newest first: those with this status, before the notice `before`, at most `limit` of them.
///
/// # Errors
/// When they may see none, or the database cannot be read.
pub async fn notices(
    reader: &Reader,
    who: &Principal,
    status: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Page<NoticeView>, Refused> {
    let (status, before) = (status.map(str::to_owned), before.map(str::to_owned));
    notices_like(reader, who, &NoticeWish { status, before, limit, ..NoticeWish::default() }).await
}

/// Notices, the newest first, narrowed by more than their status.
///
/// # Errors
/// When they may see none, or the database cannot be read.
pub async fn notices_like(reader: &Reader, who: &Principal, wish: &NoticeWish) -> Result<Page<NoticeView>, Refused> {
    if part(who, ACTIONS, None)?.institution().is_none_or(|of| of.is_some()) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let filter = NoticeFilter {
        status: wish.status.as_deref(),
        of_withdrawals: sees_withdrawals(who),
        to: wish.to.as_deref(),
        subject: wish.subject.as_deref(),
        before: wish.before.as_deref(),
        limit: wish.limit,
    };
    let rows = reader.notices(&filter).await?;
    let items = rows.iter().map(NoticeView::of).collect::<Result<_, _>>()?;
    Ok(Page::new(items, wish.limit, |notice: &NoticeView| notice.id.clone()))
}

/// Notices about a delivery, a case or an order line, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn notices_about(reader: &Reader, who: &Principal, about: &str) -> Result<Vec<NoticeView>, Refused> {
    let mut found = Vec::new();
    for row in reader.records_of(Kind::Notice.word(), about).await?.iter().rev() {
        if may_see(who, Some(row), &row.record_id).is_ok() {
            found.push(NoticeView::of(row)?);
        }
    }
    Ok(found)
}

/// One notice with its letters.
///
/// # Errors
/// When it is not there, they may not see it, or the database cannot be read.
pub async fn notice(reader: &Reader, who: &Principal, id: &str) -> Result<NoticeView, Refused> {
    let row = reader.record(Kind::Notice.word(), id).await?;
    may_see(who, row.as_ref(), id)?;
    row.as_ref().map_or_else(|| Err(missing("notice", id)), NoticeView::of)
}
