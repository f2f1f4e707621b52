//! Whether the log can still be believed, for the events of one specimen: each is hashed again behind the one before it, and the newest
//! signed checkpoint says how far the site's key vouches for it. The whole chain is what `admin audit verify` checks.

use serde::Serialize;

use crate::audit::checkpoint::Public;
use crate::people::permission::Principal;
use crate::store::read::Reader;
use crate::store::rows;
use crate::view::center::access::{Refused, is_outsider};
use crate::view::center::audit::{follows, signed};
use crate::view::center::record::{RecordView, SpecimenStory, specimen};
use crate::view::{Page, time};

/// Events that are looked at, at most.
const EVENTS_MAX: i64 = 5_000;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// Events that were hashed again.
    pub events: usize,
    /// Numbers, in the whole log, of those that do not follow from the one before.
    pub broken: Vec<i64>,
    /// There are more than were looked at.
    pub more: bool,
    /// The newest of them, in the whole log.
    pub newest: i64,
    /// Events in the whole log.
    pub log: i64,
    /// Hash of the log's newest event.
    pub head: String,
    /// Until which event the newest checkpoint goes; zero: none was signed yet.
    pub signed_until: i64,
    /// When it was signed.
    pub signed_at: Option<String>,
    /// The signature is the site's, and the log still has the hash that was signed. None: there is no checkpoint, or no key to check
    /// with.
    pub signature: Option<bool>,
}

/// An event as the log keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct EventProof {
    /// Number in the whole log.
    pub seq: i64,
    /// To what.
    pub of: String,
    /// When.
    pub at: String,
    /// What.
    pub kind: String,
    /// By whom.
    pub actor: String,
    /// By which role.
    pub role: String,
    /// The link of the chain.
    pub hash: String,
    /// It follows from the one before.
    pub follows: bool,
}

/// The log's events about a specimen, its order lines, its records and its runs, hashed again.
///
/// # Errors
/// When it is not there or they may not see it; the log is for people of the center.
pub async fn proof(reader: &Reader, who: &Principal, id: &str, key: Option<&Public>) -> Result<Proof, Refused> {
    let streams = streams(reader, who, id).await?;
    let mut links = reader.links(&streams, 0, EVENTS_MAX + 1).await?;
    let more = i64::try_from(links.len()).is_ok_and(|len| len > EVENTS_MAX);
    links.truncate(usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX));
    let broken = links.iter().filter(|(event, before)| !follows(event, before)).map(|(event, _)| event.seq).collect();
    let (log, head) = reader.head().await?;
    let signed = signed(reader, key).await?;
    Ok(Proof {
        events: links.len(),
        newest: links.iter().map(|(event, _)| event.seq).max().unwrap_or(0),
        broken,
        more,
        log,
        head,
        signed_until: signed.until,
        signed_at: signed.at,
        signature: signed.holds,
    })
}

/// The same events one by one, after the one numbered `after`.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn events(
    reader: &Reader,
    who: &Principal,
    id: &str,
    after: i64,
    limit: i64,
) -> Result<Page<EventProof>, Refused> {
    let streams = streams(reader, who, id).await?;
    let links = reader.links(&streams, after, limit).await?;
    let told = |(event, before): &(rows::Event, String)| EventProof {
        seq: event.seq,
        of: event.stream.clone(),
        at: time(event.at_us),
        kind: event.kind.clone(),
        actor: event.actor.clone(),
        role: event.role.clone(),
        hash: event.hash.clone(),
        follows: follows(event, before),
    };
    Ok(Page::new(links.iter().map(told).collect(), limit, |event: &EventProof| event.seq.to_string()))
}

async fn streams(reader: &Reader, who: &Principal, id: &str) -> Result<Vec<String>, Refused> {
    let known = specimen(reader, who, id).await?;
    if is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: the log is for people of the center", who.name)));
    }
    let SpecimenStory { order_lines, records, .. } = &known;
    let mut streams = vec![format!("specimen:{id}")];
    for line in order_lines {
        streams.push(format!("order_line:{}", line.id));
        let earlier = line.document["earlier_runs"].as_array().into_iter().flatten().filter_map(|run| run.as_str());
        streams.extend(earlier.chain(line.run.as_deref()).map(str::to_owned));
    }
    streams.extend(records.iter().map(|RecordView { kind, id, .. }| format!("{kind}:{id}")));
    Ok(streams)
}
