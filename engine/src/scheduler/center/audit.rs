//! Signing the audit log: the site's key, checkpoints now and then and at the end, and the last line of an export. Reading it is an
//! event too. What a checkpoint says is `audit::checkpoint`'s business.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::json;

use super::desk::{By, stream};
use super::keys::AUDIT;
use super::request::Answer;
use crate::audit::checkpoint::{Checkpoint, Secret, Stand};
use crate::audit::export::{CHECKPOINT_SIGNED, EventLine};
use crate::audit::hex;
use crate::audit::proof::Proof;
use crate::id::fresh;
use crate::scheduler::Options;
use crate::scheduler::handle::{Handle, Refusal};
use crate::scheduler::service::{Error, Service};
use crate::specimen::record::Kind;
use crate::store::read::Reader;
use crate::store::{self, rows};

/// Events between two checkpoints.
const EVENTS_MAX: i64 = 1_000;

/// Where a site's public key lies.
#[must_use]
pub fn public_key(site: &Path) -> PathBuf {
    AUDIT.public(site)
}

/// The site's key; made when the site has none yet.
pub(in crate::scheduler) fn key(site: &Path) -> Result<Secret, Error> {
    Ok(Secret::from_bytes(&AUDIT.secret(site)?))
}

/// The key for an engine: one that stays needs it. A verb that opens the site by itself, as a person who may not read the key, does
/// without: the next engine signs what the verb did.
pub(in crate::scheduler) fn key_for(options: &Options) -> Result<Option<Secret>, Error> {
    let unreadable = || {
        let opened = fs::File::open(options.directory.join("secrets/audit.key"));
        opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    match key(&options.directory) {
        Ok(found) => Ok(Some(found)),
        Err(_) if options.drain && unreadable() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Events that no checkpoint covers; the one by which the newest is kept does not count.
pub(in crate::scheduler) async fn unsigned(reader: &Reader) -> Result<i64, store::Error> {
    let (head, until) = (reader.head().await?.0, reader.signed_until().await?);
    Ok(if until == 0 { head } else { (head - until - 1).max(0) })
}

impl Service {
    fn signer(&self) -> Result<&Secret, Refusal> {
        let missing = || Refusal::NotAllowed("the site's key signs this, and you may not read it".into());
        self.signer.as_ref().ok_or_else(missing)
    }

    /// A message's signature, by the site's key: its name, a colon, hex. Empty when the key is not to be had.
    pub(in crate::scheduler) fn sign_message(&self, text: &str) -> String {
        let signed = |key: &Secret| format!("{}:{}", key.public().id(), key.sign_text(text));
        self.signer.as_ref().map(signed).unwrap_or_default()
    }

    /// A certificate's signature, as that of a message.
    pub(in crate::scheduler) fn sign_certificate(&self, text: &str) -> String {
        let signed = |key: &Secret| format!("{}:{}", key.public().id(), key.sign_certificate(text));
        self.signer.as_ref().map(signed).unwrap_or_default()
    }

    /// Signs how the log stands after the newest commit.
    pub(in crate::scheduler) async fn checkpoint(&mut self, by: &By) -> Result<Answer, Refusal> {
        let (events, head) = self.reader.head().await?;
        let id = format!("{events:015}");
        let said = format!("the audit log is signed until event {events}");
        if let Some(known) = self.desk.find::<Checkpoint>(Kind::Checkpoint, &id).await? {
            return Ok(Answer { said, unchanged: 1, signed: Some(known.doc), ..Answer::default() });
        }
        let stand = Stand { events, head, at_us: self.desk.now, sha256: String::new() };
        let signed = self.signer()?.sign(&stand);
        let mut held = self.desk.new_record(Kind::Checkpoint, &id, "signed", signed.clone());
        self.desk.record(&mut held, CHECKPOINT_SIGNED, by, &json!(signed));
        self.unsigned = 0;
        Ok(Answer { said, changed: vec![format!("checkpoint {id}")], signed: Some(signed), ..Answer::default() })
    }

    /// After so many events.
    pub(in crate::scheduler) async fn sign_when_due(&mut self) -> Result<(), Error> {
        if self.unsigned < EVENTS_MAX {
            return Ok(());
        }
        self.sign_own().await?;
        self.commit().await?;
        self.unsigned = 0;
        Ok(())
    }

    /// Before the engine ends. A verb's own engine leaves it to the next: else every verb would be two events.
    pub(in crate::scheduler) async fn sign_at_the_end(&mut self) {
        if self.unsigned == 0 || self.house.options.drain {
            return;
        }
        let signed = match self.sign_own().await {
            Ok(()) => self.commit().await,
            Err(error) => Err(error),
        };
        if let Err(error) = signed {
            tracing::error!(%error, "the newest events are not signed yet; the next engine does it");
        }
    }

    async fn sign_own(&mut self) -> Result<(), Error> {
        self.desk.now = self.house.options.clock.now();
        let result = self.checkpoint(&By::engine()).await.map(drop);
        self.own_doing("signing the audit log", result)
    }

    /// Somebody reads the log.
    pub(in crate::scheduler) fn audit_read(&mut self, what: &str, by: &By) -> Answer {
        let id = fresh("x");
        let body = json!({ "what": what });
        let mut held = self.desk.new_record(Kind::Checkpoint, &id, "exported", body.clone());
        self.desk.record(&mut held, "audit_exported", by, &body);
        Answer { said: "it is written down".into(), changed: vec![format!("checkpoint {id}")], ..Answer::default() }
    }

    /// Signs the last line of an export: of events that are in the log as it says.
    pub(in crate::scheduler) async fn audit_sign(&mut self, stand: Stand, by: &By) -> Result<Answer, Refusal> {
        let is_hash = crate::audit::unhex::<32>(&stand.sha256).is_some();
        let found = self.reader.log_after(stand.events.saturating_sub(1), 1).await?;
        let stands = found.first().is_some_and(|event| event.seq == stand.events && event.hash == stand.head);
        if !is_hash || !stands {
            return Err(Refusal::Bad(format!("the audit log does not stand like this at event {}", stand.events)));
        }
        let signed = self.signer()?.sign(&Stand { at_us: self.desk.now, ..stand });
        let what = format!("export of {} events, SHA-256 {}", signed.stand.events, signed.stand.sha256);
        Ok(Answer { signed: Some(signed), ..self.audit_read(&what, by) })
    }
}

impl Handle {
    /// The event of a receipt that was taken, and the log's stand with it as the newest, signed: whoever has both and the site's public
    /// key can prove it later, and sees no other event. Nothing is written. None: nobody may read the site's key here.
    ///
    /// # Errors
    /// When no such receipt was taken, or the database cannot be read.
    pub async fn receipt_proof(&self, delivery: &str, receipt: &str) -> Result<Option<(Checkpoint, Proof)>, Refusal> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let stream = stream(Kind::Delivery.word(), delivery);
        let taken = self.reader.receipt_event(&stream, receipt).await?;
        let event =
            taken.ok_or_else(|| Refusal::NotFound(format!("no receipt `{receipt}` of {delivery} was taken")))?;
        let before = self.reader.log_after(event.seq - 2, 1).await?;
        let before = before.into_iter().next().filter(|before| before.seq == event.seq - 1);
        let previous = before.map_or_else(|| hex(&[0; 32]), |before| before.hash);
        let at_us = self.options.clock.now();
        let stand = Stand { events: event.seq, head: event.hash.clone(), at_us, sha256: String::new() };
        Ok(Some((signer.sign(&stand), Proof { previous, event: line(event) })))
    }
}

/// An event as it is shown outside.
fn line(event: rows::Event) -> EventLine {
    let rows::Event { seq, stream, n, at_us, kind, subject, actor, role, body, hash } = event;
    EventLine { seq, stream, n, at_us, kind, subject, actor, role, body, hash }
}
