//! Deliveries as their receiver sees them: the feed, one offer, one file's bytes. What is not theirs is not there; what is theirs is
//! fetched only as long as it is offered and consent covers it.

use crate::clock::Micros;
use crate::handoff::bag;
use crate::handoff::delivery::{Document, Plain};
use crate::handoff::metalink;
use crate::handoff::offer::{Detail, Entry, Feed, FileStatus, Offer, Status as Shown};
use crate::handoff::{File, fetch};
use crate::people::permission::{Action, Owner, Principal, permit};
use crate::port::courier::{self, Parcel};
use crate::scheduler::{consent_in_force, entry};
use crate::specimen::record::{Delivery, Kind};
use crate::state::delivery::Status;
use crate::store::artifact::ArtifactStore;
use crate::store::read::Reader;
use crate::store::rows::{self, PackageFile};
use crate::view::center::{Refused, missing};
use crate::view::{document, time};

/// A delivery that somebody may see.
pub struct Seen {
    /// Where it stands, and what was said of it.
    pub record: rows::center::Record,
    doc: Delivery,
    row: rows::Delivery,
    parcel: Parcel,
}

/// What changed for a receiver after this number, and the number to go on from.
///
/// # Errors
/// When they are no receiver, or the database cannot be read.
pub async fn feed(reader: &Reader, who: &Principal, after: i64, limit: i64) -> Result<Feed, Refused> {
    let Some(target) = who.data_center.as_deref() else { return Err(only_receivers(who)) };
    permit(who, Action::ReadDelivery, None).map_err(|_| only_receivers(who))?;
    let mut feed = Feed { items: Vec::new(), next: after.to_string() };
    for news in reader.feed(target, after, limit).await? {
        let seen = see(reader, who, news.delivery_id.as_str()).await?;
        feed.items.push(seen.offer(&reader.package_files(news.delivery_id.as_str()).await?));
        feed.next = news.seq.to_string();
    }
    Ok(feed)
}

/// The number of the newest change in a receiver's feed: another one says that there is news.
///
/// # Errors
/// When they are no receiver, or the database cannot be read.
pub async fn feed_end(reader: &Reader, who: &Principal) -> Result<i64, Refused> {
    let Some(target) = who.data_center.as_deref() else { return Err(only_receivers(who)) };
    permit(who, Action::ReadDelivery, None).map_err(|_| only_receivers(who))?;
    Ok(reader.feed_end(target).await?)
}

/// One offer with its files.
///
/// # Errors
/// When it is not there, or not theirs, or the database cannot be read.
pub async fn offer(reader: &Reader, who: &Principal, id: &str) -> Result<Detail, Refused> {
    let seen = see(reader, who, id).await?;
    let files = reader.package_files(id).await?;
    let entries = files.iter().map(|file| seen.entry(file)).collect();
    Ok(Detail { offer: seen.offer(&files), entries })
}

/// A delivery that this receiver may see, whatever became of it.
///
/// # Errors
/// When it is not there, or not theirs.
pub async fn see(reader: &Reader, who: &Principal, id: &str) -> Result<Seen, Refused> {
    let missing = || missing("delivery", id);
    if who.data_center.is_none() {
        return Err(only_receivers(who));
    }
    let record = reader.record(Kind::Delivery.word(), id).await?.ok_or_else(missing)?;
    let owner = Owner { institution: None, data_center: Some(&record.owner) };
    match permit(who, Action::ReadDelivery, Some(&owner)) {
        Ok(_) => {}
        Err(crate::people::permission::Denied::Unknown) => return Err(missing()),
        Err(crate::people::permission::Denied::NotAllowed { .. }) => return Err(only_receivers(who)),
    }
    let row = reader.delivery(id).await?.ok_or_else(missing)?;
    Ok(Seen { doc: document("a delivery", &record.document)?, parcel: document("a parcel", &row.parcel)?, record, row })
}

/// A delivery that this receiver may fetch at this hour: it is offered, its time is not over, and consent covers its use.
///
/// # Errors
/// When it is not there, not theirs, or not to be had (any more).
pub async fn fetchable(reader: &Reader, who: &Principal, id: &str, now: Micros) -> Result<Seen, Refused> {
    let seen = see(reader, who, id).await?;
    let status = Status::parse(&seen.record.status);
    let over = seen.doc.expires_us.is_some_and(|at| at <= now);
    if over || !status.is_some_and(Status::is_open) {
        let status = if over { Status::Expired.word() } else { &seen.record.status };
        let reason = if seen.doc.reason.is_empty() { String::new() } else { format!(": {}", seen.doc.reason) };
        return Err(Refused::Gone(format!("delivery {id} is {status}{reason}")));
    }
    if !seen.doc.pull {
        return Err(Refused::Gone(format!("delivery {id} was carried to {}: it is not fetched", seen.row.place)));
    }
    if !seen.doc.consent_use.is_empty() && !seen.doc.participant.is_empty() {
        let unknown = || missing("participant", &seen.doc.participant);
        let participant = reader.participant(&seen.doc.participant).await?.ok_or_else(unknown)?;
        consent_in_force(&participant, &seen.doc.consent_use, now).map_err(Refused::Gone)?;
    }
    Ok(seen)
}

/// A file that is served: its bytes, and when they came to be.
pub struct Served {
    /// Its bytes.
    pub entry: courier::Entry,
    /// When it was packed.
    pub modified_us: Micros,
    /// SHA-256 of the artifact that must not be sealed meanwhile; none for what the engine wrote.
    pub artifact: Option<String>,
}

/// One file of a delivery that may be fetched.
///
/// # Errors
/// When the delivery has no such file.
pub async fn file(reader: &Reader, artifacts: &ArtifactStore, seen: &Seen, path: &str) -> Result<Served, Refused> {
    let id = seen.record.record_id.as_str();
    let row = reader.package_file(id, path).await?.ok_or_else(|| missing("file", path))?;
    let artifact = Some(row.artifact.clone()).filter(|artifact| !artifact.is_empty());
    Ok(Served { entry: entry(&row, artifacts), modified_us: row.created_us, artifact })
}

/// The Metalink 4 file of a delivery that is offered at this address, `https://center.example`.
///
/// # Errors
/// When the address is none, or the database cannot be read.
pub async fn metalink(reader: &Reader, seen: &Seen, base: &str) -> Result<String, Refused> {
    let files = reader.package_files(seen.record.record_id.as_str()).await?;
    let (payload, tags) = parts(&files);
    let source = fetch::Source { base: format!("{base}{}", seen.url()) };
    let bad = |error: bag::Error| Refused::Bad(error.to_string());
    metalink::write(&seen.parcel.folder, seen.row.created_us, &source, &tags, &payload).map_err(bad)
}

/// Where the files of a package without its payload are fetched from: `fetch.txt` for this address.
///
/// # Errors
/// When the address is none, or the database cannot be read.
pub async fn holes(reader: &Reader, seen: &Seen, base: &str) -> Result<String, Refused> {
    let files = reader.package_files(seen.record.record_id.as_str()).await?;
    let source = fetch::Source { base: format!("{base}{}", seen.url()) };
    let bad = |error: bag::Error| Refused::Bad(error.to_string());
    source.fetch(&parts(&files).0).map_err(bad)
}

fn parts(files: &[PackageFile]) -> (Vec<File>, Vec<bag::TagFile>) {
    let payload = files.iter().filter_map(|row| {
        let name = row.path.strip_prefix(bag::DATA)?.to_owned();
        let size_bytes = u64::try_from(row.size).unwrap_or(0);
        Some(File { name, size_bytes, sha256: row.sha256.clone(), md5: row.md5.clone() })
    });
    let tags = files.iter().filter_map(|row| {
        let name = bag::TAG_FILES.iter().copied().find(|name| *name == row.path)?;
        Some(bag::TagFile { name, text: row.content.clone() })
    });
    (payload.collect(), tags.collect())
}

impl Seen {
    fn url(&self) -> String {
        format!("/deliveries/{}/", self.record.record_id)
    }

    /// Name of the package's folder.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.parcel.folder
    }

    fn offer(&self, files: &[PackageFile]) -> Offer {
        let sent: Document = serde_json::from_value(self.parcel.document.clone()).unwrap_or_default();
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Offer {
            delivery: self.record.record_id.clone(),
            folder: self.parcel.folder.clone(),
            specimen: self.row.specimen_id.clone(),
            participant: sent.participant,
            order_line: told(&self.doc.order_line),
            uses: sent.consent.map(|consent| consent.scopes).unwrap_or_default(),
            status: shown(&self.record.status),
            offered: time(self.record.created_us),
            expires: self.doc.expires_us.map(time),
            supersedes: told(&self.doc.supersedes),
            size: files.iter().filter_map(|file| u64::try_from(file.size).ok()).sum(),
            files: files.len() as u64,
            manifest_sha256: self.row.manifest_sha256.clone(),
            url: self.url(),
        }
    }

    fn entry(&self, file: &PackageFile) -> Entry {
        let said = self.doc.files.get(&file.path).cloned().unwrap_or_default();
        let plain = (!file.header.is_empty()).then(|| Plain {
            size: u64::try_from(file.plain_size).unwrap_or(0),
            sha256: file.artifact.clone(),
            md5: file.plain_md5.clone(),
        });
        let told = |text: String| Some(text).filter(|text| !text.is_empty());
        Entry {
            path: file.path.clone(),
            url: format!("{}{}", self.url(), crate::handoff::name::address(&file.path)),
            size: u64::try_from(file.size).unwrap_or(0),
            sha256: file.sha256.clone(),
            md5: file.md5.clone(),
            plain,
            status: said.status,
            reason: told(said.reason),
            accession: told(said.accession),
        }
    }

    /// What was said of one file.
    #[must_use]
    pub fn said(&self, path: &str) -> (FileStatus, Option<String>) {
        let said = self.doc.files.get(path).cloned().unwrap_or_default();
        (said.status, Some(said.reason).filter(|reason| !reason.is_empty()))
    }

    /// Where it stands, as its receiver reads it.
    #[must_use]
    pub fn status(&self) -> Shown {
        shown(&self.record.status)
    }
}

fn shown(status: &str) -> Shown {
    serde_json::from_value(serde_json::Value::from(status)).unwrap_or(Shown::Unknown)
}

fn only_receivers(who: &Principal) -> Refused {
    Refused::NotAllowed(format!(
        "{} may not do this: packages are fetched by the data centers that they are for",
        who.name
    ))
}
