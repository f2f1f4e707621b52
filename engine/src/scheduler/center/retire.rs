//! The copies that the site keeps of a delivery: they go when nothing stands against it and two people said so, with a certificate.
//!
//! On record first: status, what goes and what stays. The bytes go after the commit, and again at the next start when that was cut off.

mod facts;

use serde_json::{Value, json};

use self::facts::{Found, Look};
use super::desk::{By, Desk, Held, held};
use super::request::{Answer, Request};
use crate::clock::Micros;
use crate::decide::retain::{Against, Rule};
use crate::id::fresh;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::work::retire;
use crate::specimen::record::{Archive, Certificate, Delivery, Fate, Kind, RetiredFile, Retirement, Signed};
use crate::state::delivery::Event;
use crate::state::retirement::{Event as Step, Status};
use crate::store;
use crate::store::read::{Reader, RecordFilter};
use crate::store::writer::Table;

/// Bytes of what a person says of an archive copy.
const TEXT_BYTES_MAX: usize = 1_000;

/// Whether the copies of a delivery may go, read from rows alone.
pub struct Looked {
    /// Everything that stands against it; nothing: they may.
    pub against: Vec<Against>,
    /// What would become of each file.
    pub files: Vec<RetiredFile>,
}

/// May the copies of a delivery go, by this rule? None: there is no such delivery at a receiver.
///
/// # Errors
/// When the database cannot be read.
pub async fn look(reader: &Reader, id: &str, rule: Option<Rule>, now: Micros) -> Result<Option<Looked>, store::Error> {
    let desk = Desk::new(reader.clone());
    let found = async {
        let Some(delivery) = desk.find::<Delivery>(Kind::Delivery, id).await? else { return Ok(None) };
        Look { desk: &desk, reader }.found(delivery, rule).await.map(Some)
    };
    match found.await {
        Ok(found) => Ok(found.map(|found| Looked { against: found.against(now), files: found.files })),
        Err(Refusal::Store(error)) => Err(error),
        Err(other) => Err(store::Error::Unknown { what: "a delivery", found: other.to_string() }),
    }
}

impl Service {
    async fn look_at(&self, id: &str) -> Result<Found, Refusal> {
        let delivery = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let rule = self.house.options.targets.get(&delivery.row.owner).and_then(|target| target.retain);
        Look { desk: &self.desk, reader: &self.reader }.found(delivery, rule).await
    }

    /// A copy of ours lies in an archive, says somebody.
    pub(super) async fn archived(&mut self, id: &str, place: &str, note: &str, by: &By) -> Result<Answer, Refusal> {
        let fits = |text: &str| text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control);
        let place = place.trim();
        if place.is_empty() || !fits(place) || !fits(note) {
            return Err(Refusal::Bad(format!(
                "an archive copy needs its place, in at most {TEXT_BYTES_MAX} bytes on one line (--at)"
            )));
        }
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let said = format!("delivery {id} has a copy at {place}");
        if held.doc.archives.iter().any(|known| known.place == place) {
            return Ok(Answer { said, unchanged: 1, ..Answer::default() });
        }
        let archive = Archive { place: place.into(), by: by.name.clone(), at_us: self.desk.now, note: note.into() };
        let body = json!({ "place": place, "note": note });
        held.doc.archives.push(archive);
        self.desk.record(&mut held, "archive_copy_recorded", by, &body);
        Ok(Answer { said, changed: vec![format!("delivery {id}")], ..Answer::default() })
    }

    /// The first person.
    pub(super) async fn retire(&mut self, id: &str, reason: &str, dry_run: bool, by: &By) -> Result<Answer, Refusal> {
        let found = self.look_at(id).await?;
        let against = found.against(self.desk.now);
        if dry_run {
            let said = match against.len() {
                0 => format!("the copies of delivery {id} may go"),
                count => format!("the copies of delivery {id} stay: {count} thing(s) stand against it"),
            };
            let mut notes: Vec<String> = against.iter().map(ToString::to_string).collect();
            notes.extend(found.files.iter().map(told));
            return Ok(Answer { said, notes, dry_run: true, ..Answer::default() });
        }
        none_against(id, &against)?;
        let again = Request::Retire { delivery: id.into(), reason: reason.into(), dry_run: false };
        let mut answer = self.propose(&again, &format!("the end of the copies of delivery {id}"), reason, by).await?;
        answer.notes.extend(found.files.iter().map(told));
        Ok(answer)
    }

    /// The second person: everything is looked at again, in the turn that writes it down.
    pub(super) async fn retire_confirmed(
        &mut self,
        id: &str,
        (first, reason): (&str, &str),
        by: &By,
    ) -> Result<Answer, Refusal> {
        let found = self.look_at(id).await?;
        none_against(id, &found.against(self.desk.now))?;
        let Found { delivery: mut held, facts, files } = found;
        let (retirement, rule) = (fresh("y"), facts.rule.unwrap_or_default());
        held.go(Event::Retired)?;
        held.doc.reason = format!("every file was acknowledged, and no copy is kept here any more ({retirement})");
        let doc = Retirement {
            reason: reason.into(),
            proposed_by: first.into(),
            confirmed_by: by.name.clone(),
            after_receipt_us: rule.after_receipt_us,
            copies: rule.copies,
            files,
            receiver_copies: facts.receiver_copies,
            archives: held.doc.archives.clone(),
            receipts: held.doc.receipts.clone(),
            certificate: None,
        };
        let body = json!({ "retirement": retirement, "proposed_by": first, "reason": reason });
        self.desk.record(&mut held, Event::Retired.word(), by, &body);
        self.feed(&held);
        for file in doc.files.iter().filter(|file| file.fate == Fate::Destroyed) {
            if let Some(mut row) = self.reader.artifact(&file.sha256).await? {
                row.sealed.clone_from(&retirement);
                self.house.ledger.change.put(Table::Artifact, &row);
            }
        }
        let body = json!({ "document": doc });
        let mut end = self.desk.new_record(Kind::Retirement, &retirement, Status::Confirmed.word(), doc);
        id.clone_into(&mut end.row.parent);
        end.row.specimen_id.clone_from(&held.row.specimen_id);
        end.row.owner.clone_from(&held.row.owner);
        self.desk.record(&mut end, "retirement_confirmed", by, &body);
        let work = self.retire_work(&end).await?;
        self.house.effect(Effect::Retire(Box::new(work)));
        Ok(Answer {
            said: format!("delivery {id} is retired: its copies here are being destroyed"),
            changed: vec![format!("delivery {id}"), format!("retirement {retirement}")],
            notes: end.doc.files.iter().map(told).collect(),
            ..Answer::default()
        })
    }

    async fn retire_work(&self, end: &Held<Retirement>) -> Result<retire::Work, store::Error> {
        let site = &self.house.options.directory;
        let mut files: Vec<retire::Going> = Vec::new();
        for file in &end.doc.files {
            // One file may lie in a package under two names.
            if files.iter().any(|going| going.sha256 == file.sha256) {
                continue;
            }
            let size = self.reader.artifact(&file.sha256).await?.map_or(0, |row| row.size);
            let attempts = self.reader.made_by(&file.sha256).await?;
            files.push(retire::Going {
                sha256: file.sha256.clone(),
                size: u64::try_from(size).unwrap_or(0),
                fate: file.fate,
                scratch: attempts.iter().map(|attempt| site.join("attempts").join(attempt)).collect(),
            });
        }
        Ok(retire::Work {
            artifacts: self.house.artifacts.clone(),
            links: site.join("samples").join(&end.row.specimen_id),
            retirement: end.row.record_id.clone(),
            files,
        })
    }

    /// The bytes are gone, or some of them resisted.
    pub(in crate::scheduler) async fn on_retired(&mut self, id: &str, done: &retire::Done) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        let mut end = self.desk.get::<Retirement>(Kind::Retirement, id).await?;
        if end.row.status == Status::Done.word() {
            return Ok(());
        }
        let by = vec![end.doc.proposed_by.clone(), end.doc.confirmed_by.clone()];
        for file in end.doc.files.iter_mut().filter(|file| file.fate != Fate::Kept) {
            let went = done.iter().find(|(sha256, _)| *sha256 == file.sha256).map(|(_, went)| went);
            match went {
                Some(Ok(method)) => {
                    let (sha256, method, by) = (file.sha256.clone(), method.clone(), by.clone());
                    file.certificate = Some(Certificate { sha256, method, at_us: self.desk.now, by });
                }
                Some(Err(reason)) => {
                    let reason = format!("{} of retirement {id} cannot be destroyed: {reason}", file.path);
                    return Err(Refusal::Unreachable(format!("{reason}; it is tried again at the next start")));
                }
                None => return Err(Refusal::State(format!("retirement {id}: nobody spoke of {}", file.path))),
            }
        }
        let delivery = self.desk.get::<Delivery>(Kind::Delivery, &end.row.parent).await?;
        let text = self.certificate(&end, &delivery).await?.to_string();
        let signature = self.sign_certificate(&text);
        let certificate = Signed { text, signature };
        let body = json!({ "certificate": certificate });
        end.doc.certificate = Some(certificate);
        end.go(Step::Done)?;
        self.desk.record(&mut end, "retirement_done", &By::engine(), &body);
        Ok(())
    }

    /// Everything that somebody would ask who finds the files gone.
    async fn certificate(&self, end: &Held<Retirement>, delivery: &Held<Delivery>) -> Result<Value, Refusal> {
        let row = self.reader.delivery(&end.row.parent).await?;
        let manifest = row.map(|row| row.manifest_sha256).unwrap_or_default();
        let doc = &end.doc;
        Ok(json!({
            "certificate": end.row.record_id, "site": self.house.options.site,
            "delivery": end.row.parent, "target": end.row.owner, "specimen": end.row.specimen_id,
            "order_line": delivery.doc.order_line, "run": delivery.row.parent, "manifest_sha256": manifest,
            "reason": doc.reason, "proposed_by": doc.proposed_by, "confirmed_by": doc.confirmed_by,
            "decided_us": end.row.created_us, "done_us": self.desk.now,
            "rule": { "after_receipt_us": doc.after_receipt_us, "copies": doc.copies },
            "receipts": doc.receipts, "receiver_copies": doc.receiver_copies, "archives": doc.archives, "files": doc.files,
        }))
    }

    /// What two people decided, and the last engine did not do.
    pub(in crate::scheduler) async fn recover_retirements(&mut self) -> Result<(), store::Error> {
        let filter = RecordFilter {
            kind: Kind::Retirement.word().into(),
            status: Some(Status::Confirmed.word().into()),
            limit: i64::MAX,
            ..RecordFilter::default()
        };
        for row in self.reader.records(&filter).await? {
            let id = row.record_id.clone();
            match held::<Retirement>(row) {
                Ok(end) => {
                    let work = self.retire_work(&end).await?;
                    self.house.effect(Effect::Retire(Box::new(work)));
                }
                Err(error) => tracing::error!(retirement = id, %error, "it cannot be read; it stays as it is"),
            }
        }
        Ok(())
    }
}

fn none_against(id: &str, against: &[Against]) -> Result<(), Refusal> {
    if against.is_empty() {
        return Ok(());
    }
    let said: Vec<String> = against.iter().map(ToString::to_string).collect();
    Err(Refusal::State(format!("the copies of delivery {id} stay: {}", said.join("; "))))
}

/// One file, for people.
fn told(file: &RetiredFile) -> String {
    match (file.fate, file.because.as_str()) {
        (Fate::Destroyed, _) => format!("{} goes", file.path),
        (Fate::EncryptedFormDestroyed, because) => {
            format!("{} goes as it was encrypted; plain it stays: {because}", file.path)
        }
        (Fate::Kept, because) => format!("{} stays: {because}", file.path),
    }
}
