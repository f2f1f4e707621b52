//! The audit log as auditors read it: its events from the newest back, how the chain stands, and the newest signed checkpoint. The whole
//! chain is what `admin audit verify` checks; here the newest links are, whenever somebody looks.

use serde::Serialize;

use super::access::{Refused, part};
use crate::audit::checkpoint::{Checkpoint, Public};
use crate::audit::link::{Fields, link};
use crate::audit::{hex, unhex};
use crate::people::permission::{Action, Principal};
use crate::specimen::record::Kind;
use crate::store::Error;
use crate::store::read::{AuditFilter, Reader};
use crate::store::rows;
use crate::view::{document, time};

/// Events that are hashed again, the newest.
const LINKS: i64 = 500;
/// Events of a word that a page looks through for those of one person: some milliseconds. The next page goes on behind them.
pub const LOOKED_THROUGH: i64 = 20_000;

/// How the log is narrowed.
#[derive(Clone, Debug, Default)]
pub struct AuditWish {
    /// Only events with this word.
    pub kind: Option<String>,
    /// Only by this person or service.
    pub actor: Option<String>,
    /// Only about this thing: an id, or a kind, a colon and an id.
    pub about: Option<String>,
    /// Only events before this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// An event as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Number in the whole log.
    pub seq: i64,
    /// What it happened to: a run, or a kind, a colon and an id.
    pub stream: String,
    /// When.
    pub at: String,
    /// What.
    pub kind: String,
    /// What else it is about; may be empty.
    pub subject: String,
    /// By whom.
    pub actor: String,
    /// By which role; may be empty.
    pub role: String,
    /// What was said, JSON.
    pub body: String,
    /// The link of the chain.
    pub hash: String,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditPart {
    /// The newest first.
    pub items: Vec<AuditEvent>,
    /// Give this as `before` for what lies further back; none: nothing does.
    pub next: Option<i64>,
    /// Events of a word by somebody are looked for among so many of that word: the oldest number that was looked at. None: everything was.
    pub from: Option<i64>,
}

/// How the chain stands.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    /// Events of the log.
    pub events: i64,
    /// Hash of the newest.
    pub head: String,
    /// Events that were hashed again, the newest.
    pub looked_at: usize,
    /// Numbers of those that do not follow from the one before.
    pub broken: Vec<i64>,
    /// The newest signed checkpoint.
    pub signed: Signed,
}

/// The newest signed checkpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Signed {
    /// Until which event it goes; zero: none was signed yet.
    pub until: i64,
    /// When it was signed.
    pub at: Option<String>,
    /// Id of the key.
    pub key: String,
    /// The signature is the site's, and the log still has the hash that was signed. None: there is no checkpoint, or no key to check
    /// with.
    pub holds: Option<bool>,
}

/// The log is for auditors.
///
/// # Errors
/// When they may not see it.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    part(who, &[Action::ReadAudit], None).map(drop)
}

/// Events of the log, the newest first. That it is read is an event too: whoever shows it asks for `AuditRead` before.
///
/// # Errors
/// When they may not see it, or the database cannot be read.
pub async fn events(reader: &Reader, who: &Principal, wish: &AuditWish) -> Result<AuditPart, Refused> {
    may_see(who)?;
    let (before, limit) = (wish.before.unwrap_or(i64::MAX), wish.limit);
    let (rows, floor) = match (wish.about.as_deref(), wish.kind.as_deref(), wish.actor.as_deref()) {
        (Some(about), ..) => {
            let (kind, actor) = (wish.kind.clone(), wish.actor.clone());
            (reader.audit_of(&streams(about), &AuditFilter { kind, actor, before, limit }).await?, None)
        }
        (None, None, None) => (reader.audit_back(before, limit).await?, None),
        (None, Some(kind), None) => (reader.audit_of_kind(kind, before, limit).await?, None),
        (None, None, Some(actor)) => (reader.audit_of_actor(actor, before, limit).await?, None),
        (None, Some(kind), Some(actor)) => {
            reader.audit_of_both((kind, actor), before, LOOKED_THROUGH.max(limit), limit).await?
        }
    };
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= limit);
    let last = rows.last().map(|event| event.seq);
    let next = if full { last } else { floor };
    Ok(AuditPart { items: rows.into_iter().map(event).collect(), next: next.filter(|seq| *seq > 1), from: floor })
}

/// The streams that may be of a thing: a run's is its id, a record's has its kind before it.
fn streams(about: &str) -> Vec<String> {
    let others = ["order_line", "participant"].into_iter();
    let kinds = Kind::ALL.iter().map(|kind| kind.word()).chain(others);
    std::iter::once(about.to_owned()).chain(kinds.map(|kind| format!("{kind}:{about}"))).collect()
}

fn event(row: rows::Event) -> AuditEvent {
    let rows::Event { seq, stream, at_us, kind, subject, actor, role, body, hash, .. } = row;
    AuditEvent { seq, stream, at: time(at_us), kind, subject, actor, role, body, hash }
}

/// How the chain stands; `key`: the site's own, by which checkpoints are signed.
///
/// # Errors
/// When they may not see the log, or the database cannot be read.
pub async fn chain(reader: &Reader, who: &Principal, key: Option<&Public>) -> Result<Chain, Refused> {
    may_see(who)?;
    let (events, head) = reader.head().await?;
    // One more than is hashed again: the first follows from it.
    let newest = reader.log_after((events - LINKS - 1).max(0), LINKS + 1).await?;
    let first = usize::from(newest.first().is_some_and(|event| event.seq > 1));
    let before = |at: usize| at.checked_sub(1).map_or("", |at| newest[at].hash.as_str());
    let links = newest.iter().enumerate().skip(first);
    let broken = links.clone().filter(|(at, event)| !follows(event, before(*at))).map(|(_, event)| event.seq).collect();
    let signed = signed(reader, key).await?;
    Ok(Chain { events, head, looked_at: links.count(), broken, signed })
}

/// The newest signed checkpoint, held against the log as it is now.
pub(super) async fn signed(reader: &Reader, key: Option<&Public>) -> Result<Signed, Error> {
    let until = reader.signed_until().await?;
    let Some(row) = reader.record(Kind::Checkpoint.word(), &format!("{until:015}")).await? else {
        return Ok(Signed { until, ..Signed::default() });
    };
    let kept: Checkpoint = document("a checkpoint", &row.document)?;
    let there = reader.log_after(kept.stand.events - 1, 1).await?;
    let same = there.first().is_some_and(|event| event.hash == kept.stand.head);
    let (at, holds) = (Some(time(kept.stand.at_us)), key.map(|key| key.signed(&kept) && same));
    Ok(Signed { until, at, key: kept.key, holds })
}

/// Is this event's hash the one of what it says, behind this hash?
pub(super) fn follows(event: &rows::Event, before: &str) -> bool {
    let rows::Event { seq, stream, n, at_us, kind, subject, actor, role, body, hash } = event;
    // Nothing stands before the first.
    let previous = if *seq == 1 { Some([0; 32]) } else { unhex::<32>(before) };
    let fields = Fields { seq: *seq, stream, n: *n, at_us: *at_us, kind, subject, actor, role, body };
    previous.is_some_and(|previous| hex(&link(&previous, &fields)) == *hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::role::Role;
    use crate::store::pool::Pool;
    use crate::store::writer::{Change, Writer, next_epoch};

    async fn log(site: &std::path::Path, count: i64) -> Pool {
        let pool = Pool::open(&site.join("kentai.db")).await.expect("opened");
        let (writer, _) = Writer::start(pool.clone(), next_epoch(&pool).await.expect("counted"));
        let mut change = Change::default();
        for n in 1..=count {
            let (stream, actor) = if n % 3 == 0 { ("specimen:S1", "sato") } else { ("r1", "engine") };
            let (kind, subject, role, body, hash) = ("moved", "", "", "{}", "");
            let [stream, kind, subject, actor, role, body, hash] =
                [stream, kind, subject, actor, role, body, hash].map(str::to_owned);
            change.event(rows::Event { seq: 0, stream, n, at_us: n, kind, subject, actor, role, body, hash });
        }
        writer.commit(change).await.expect("written");
        pool
    }

    fn auditor() -> Principal {
        Principal { name: "a".into(), roles: vec![Role::Auditor], ..Principal::default() }
    }

    #[tokio::test]
    async fn the_log_is_read_from_its_end_in_pages_and_none_is_left_out() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let reader = Reader::new(log(site.path(), 20).await);
        let all = async |wish: AuditWish| {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let part =
                    events(&reader, &auditor(), &AuditWish { before, limit: 3, ..wish.clone() }).await.expect("read");
                found.extend(part.items.iter().map(|event| event.seq));
                let Some(next) = part.next else { return found };
                before = Some(next);
            }
        };
        assert_eq!(all(AuditWish::default()).await, (1..=20).rev().collect::<Vec<_>>());
        let sato = AuditWish { actor: Some("sato".into()), ..AuditWish::default() };
        assert_eq!(all(sato).await, [18, 15, 12, 9, 6, 3]);
        for about in ["S1", "specimen:S1"] {
            let about = AuditWish { about: Some(about.into()), ..AuditWish::default() };
            assert_eq!(all(about).await, [18, 15, 12, 9, 6, 3]);
        }
        let nobody =
            events(&reader, &Principal { roles: vec![Role::Operator], ..auditor() }, &AuditWish::default()).await;
        assert!(matches!(nobody, Err(Refused::NotAllowed(_))), "{nobody:?}");
    }

    #[tokio::test]
    async fn a_changed_event_is_seen_while_it_is_among_the_newest() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = log(site.path(), LINKS + 20).await;
        let reader = Reader::new(pool.clone());
        let good = chain(&reader, &auditor(), None).await.expect("read");
        assert_eq!((good.broken.len(), good.looked_at, good.signed.until), (0, 500, 0));
        pool.carry_out("update event set actor = 'mallory' where seq = 10").await;
        assert!(chain(&reader, &auditor(), None).await.expect("read").broken.is_empty(), "too far back");
        pool.carry_out("update event set actor = 'mallory' where seq = 500").await;
        assert_eq!(chain(&reader, &auditor(), None).await.expect("read").broken, [LINKS]);
    }
}
