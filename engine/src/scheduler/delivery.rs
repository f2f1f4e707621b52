//! A `handoff` step: which files under which names go where, and the document that travels with them.
//!
//! File names derive from the specimen's id only; nothing clinical is in the document, the pseudonym is the link.

mod document;

use std::collections::BTreeMap;

use kentai_workflows::expression::Template;
use kentai_workflows::value::{FileValue, Value};
use kentai_workflows::workflow::{Handoff, StepKind};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::advance::ENGINE;
use super::house::{Effect, House};
use super::live::{LiveRun, text};
use super::{Way, scope, work};
use crate::audit::hex;
use crate::handoff::bag;
use crate::handoff::crypt4gh::key::PublicKey;
use crate::handoff::delivery::Document;
use crate::id::{RunId, StepKey};
use crate::port::courier::{Carried, Error as CourierError, Parcel, ParcelFile};
use crate::specimen::record::IfLate;
use crate::state::attempt::Cause;
use crate::state::step;
use crate::store::rows;
use crate::store::writer::Table;

/// Until a receipt that the workflow wants, and for which it names no time.
const RECEIPT_WITHIN_S: u64 = 72 * 3_600;
/// Between two tries to reach a target.
const TARGET_AGAIN_MS: u64 = 30_000;

fn definition(run: &LiveRun, index: usize) -> Result<&Handoff, String> {
    match &run.definition(index).kind {
        StepKind::Handoff(handoff) => Ok(handoff),
        _ => Err("it is not a hand-off".into()),
    }
}

/// The target's name.
pub(super) fn target(run: &LiveRun, index: usize) -> Result<String, String> {
    definition(run, index)?.to.render_text(&scope::of(run, index)).map_err(|error| error.to_string())
}

impl House {
    pub(super) fn start_handoff(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let name = target(self.run(id), index)?;
        let target = self.options.targets.get(&name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.options.targets.keys().map(String::as_str).collect();
            format!(
                "this site has no target `{name}` (it has: {}); add it under `targets:` in kentai.yaml",
                known.join(", ")
            )
        })?;
        consent_covers(self.run(id), target.consent_use.as_deref(), self.now)?;
        // The name may come out of an expression, which no check could look up.
        if definition(self.run(id), index)?.encrypt.as_deref() == Some("crypt4gh") && target.recipient.is_none() {
            return Err(format!(
                "this step gives encrypted files only, and target `{name}` has no key to encrypt for; give it `recipient:` in kentai.yaml"
            ));
        }
        if self.signatures_missing(id) > 0 {
            self.ask_release(id, index, &name);
            return Ok(());
        }
        let parcel = self.parcel(id, index, &name, target.recipient)?;
        let row = self.delivery_row(id, index, &name, &parcel, self.now);
        self.ledger.change.put(Table::Delivery, &row);
        let run = self.run_mut(id);
        run.steps[index].detail.delivery = Some(parcel.delivery.clone());
        run.parcels.insert(parcel.delivery.clone(), parcel.clone());
        self.begin_work(id, index, &json!({ "delivery": parcel.delivery, "target": name }));
        let work = self.packing(id, parcel, name, target.recipient);
        self.effect(Effect::Pack(id.clone(), index, Box::new(work)));
        Ok(())
    }

    fn packing(&self, id: &RunId, parcel: Parcel, target: String, recipient: Option<PublicKey>) -> work::pack::Work {
        work::pack::Work { parcel, run: id.clone(), target, recipient, begun_us: self.now }
    }

    fn parcel(&self, id: &RunId, index: usize, target: &str, key: Option<PublicKey>) -> Result<Parcel, String> {
        let before = Document { recipient_key: key.map(|key| hex(&key.0)), ..Document::at(self.now) };
        let head = Document { sender: self.options.site.clone(), receiver: target.to_owned(), ..before };
        parcel(self.run(id), index, head)
    }

    /// A package is made: it is carried, or offered. What was packed is on record, and stays as it is.
    pub(super) fn on_packed(
        &mut self,
        id: &RunId,
        index: usize,
        work: &work::pack::Work,
        result: Result<Vec<rows::PackageFile>, CourierError>,
    ) -> Option<Given> {
        if !self.end_work(id, index) {
            return None;
        }
        let packed = match result {
            Ok(packed) => packed,
            Err(error) => {
                self.not_given(id, index, &error);
                return None;
            }
        };
        let Some(target) = self.options.targets.get(&work.target).cloned() else {
            self.fail_step(id, index, Cause::Policy, &format!("this site has no target `{}` any more", work.target));
            return None;
        };
        let delivery = &work.parcel.delivery;
        packed.iter().for_each(|row| self.ledger.change.put(Table::PackageFile, row));
        let mut row = self.delivery_row(id, index, &work.target, &work.parcel, self.now);
        row.manifest_sha256 = manifest(&packed);
        let Way::Push(courier) = target.way else {
            row.status = "offered".into();
            row.place = format!("/deliveries/{delivery}/");
            self.ledger.change.put(Table::Delivery, &row);
            let given = Given::of(self.run(id), &row, "offered", packed.iter());
            self.handed_off(id, index, &row, "offered");
            return Some(given);
        };
        row.status = "carrying".into();
        self.ledger.change.put(Table::Delivery, &row);
        let package = work::carry::package(delivery, &work.parcel.folder, &packed, &self.artifacts);
        let carry = work::carry::Work { courier, package, parcel: work.parcel.clone(), target: work.target.clone() };
        self.run_mut(id).busy += 1;
        self.effect(Effect::Carry(id.clone(), index, Box::new(carry)));
        None
    }

    /// A courier came back.
    pub(super) fn on_carried(
        &mut self,
        id: &RunId,
        index: usize,
        work: &work::carry::Work,
        result: Result<Carried, CourierError>,
    ) -> Option<Given> {
        let given = result.as_ref().ok().and_then(|carried| self.keep_delivered(id, index, work, carried));
        if !self.end_work(id, index) {
            return given.map(|(_, given)| given);
        }
        match (result, given) {
            (Ok(_), Some((row, given))) => {
                self.handed_off(id, index, &row, "delivered");
                Some(given)
            }
            (Err(error), _) => {
                self.not_given(id, index, &error);
                None
            }
            (Ok(_), None) => None,
        }
    }

    fn handed_off(&mut self, id: &RunId, index: usize, row: &rows::Delivery, status: &str) {
        let document = json!({ "id": row.delivery_id, "place": row.place, "status": status });
        self.run_mut(id).steps[index].outputs.insert("delivery".into(), document.clone());
        self.succeed_step(id, index, ENGINE, &document);
    }

    fn not_given(&mut self, id: &RunId, index: usize, error: &CourierError) {
        match error {
            // The target will be back, or a person will mend it: the run waits and says for what.
            CourierError::Unreachable { .. } => {
                self.again(id, index, TARGET_AGAIN_MS, Cause::Infrastructure, &error.to_string());
            }
            _ => self.fail_step(id, index, Cause::Policy, &error.to_string()),
        }
    }

    /// What arrived has arrived, also when its run was canceled meanwhile: then only this event says so.
    fn keep_delivered(
        &mut self,
        id: &RunId,
        index: usize,
        work: &work::carry::Work,
        carried: &Carried,
    ) -> Option<(rows::Delivery, Given)> {
        let run = self.runs.get(id)?;
        let (key, canceled) = (run.steps[index].key(), run.steps[index].status != step::Status::Running);
        let mut row = self.delivery_row(id, index, &work.target, &work.parcel, self.now);
        row.status = "delivered".into();
        row.place.clone_from(&carried.place);
        row.manifest_sha256 = work.package.manifest_sha256().unwrap_or_default().to_owned();
        self.ledger.change.put(Table::Delivery, &row);
        if canceled {
            let body = json!({ "id": row.delivery_id, "place": carried.place });
            self.record(id, "delivered_after_cancel", key.as_str(), ENGINE, &body);
        }
        let files = work.package.entries.iter().map(|entry| entry.path.as_str());
        let given = Given::of_paths(self.run(id), &row, "delivered", files);
        Some((row, given))
    }

    pub(super) fn delivery_row(
        &self,
        id: &RunId,
        index: usize,
        target: &str,
        parcel: &Parcel,
        created_us: i64,
    ) -> rows::Delivery {
        let run = self.run(id);
        rows::Delivery {
            delivery_id: parcel.delivery.as_str().into(),
            run_id: id.clone(),
            step_key: run.steps[index].key(),
            specimen_id: run.plan.specimen.id.clone(),
            target: target.to_owned(),
            status: "packaging".to_owned(),
            content: content(&run.plan.specimen.id, target, &parcel.files),
            parcel: text(parcel),
            place: String::new(),
            manifest_sha256: String::new(),
            created_us,
            updated_us: self.now,
        }
    }
}

/// The same package again, after a crash in the middle of packing or carrying it.
pub(super) fn again(house: &House, id: &RunId, index: usize) -> Result<work::pack::Work, String> {
    let name = target(house.run(id), index)?;
    let target =
        house.options.targets.get(&name).ok_or_else(|| format!("this site has no target `{name}` any more"))?;
    let parcel = house.parcel(id, index, &name, target.recipient)?;
    Ok(house.packing(id, parcel, name, target.recipient))
}

/// What a run gave to a receiver: from now on it is a delivery.
pub(super) struct Given {
    pub(super) delivery: String,
    pub(super) run: RunId,
    pub(super) step: String,
    pub(super) specimen: String,
    pub(super) participant: String,
    pub(super) order_line: String,
    pub(super) target: String,
    /// `offered`, `delivered`.
    pub(super) status: &'static str,
    /// Every path of the package: the receiver answers for each.
    pub(super) files: Vec<String>,
    /// A receipt is expected within so many seconds.
    pub(super) receipt_within_s: Option<u64>,
    /// What follows when it is late.
    pub(super) if_late: Option<IfLate>,
}

impl Given {
    fn of<'a>(
        run: &LiveRun,
        row: &rows::Delivery,
        status: &'static str,
        files: impl Iterator<Item = &'a rows::PackageFile>,
    ) -> Self {
        Self::of_paths(run, row, status, files.map(|file| file.path.as_str()))
    }

    fn of_paths<'a>(
        run: &LiveRun,
        row: &rows::Delivery,
        status: &'static str,
        files: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            delivery: row.delivery_id.to_string(),
            run: run.id.clone(),
            step: row.step_key.to_string(),
            specimen: row.specimen_id.clone(),
            participant: run.row.participant_id.clone(),
            order_line: run.row.order_line_id.clone(),
            target: row.target.clone(),
            status,
            files: files.map(str::to_owned).collect(),
            receipt_within_s: receipt_within(run, &row.step_key),
            if_late: if_late(run, &row.step_key),
        }
    }
}

/// As the workflow's author wants it.
fn receipt_within(run: &LiveRun, key: &StepKey) -> Option<u64> {
    let handoff = definition(run, run.index(key.as_str())?).ok()?;
    handoff.receipt_within_s.or(handoff.receipt_required.then_some(RECEIPT_WITHIN_S))
}

fn if_late(run: &LiveRun, key: &StepKey) -> Option<IfLate> {
    let handoff = definition(run, run.index(key.as_str())?).ok()?;
    handoff.receipt_if_late.as_deref().and_then(IfLate::parse)
}

fn manifest(packed: &[rows::PackageFile]) -> String {
    let found = packed.iter().find(|file| file.path == bag::MANIFEST_SHA256);
    found.map(|file| file.sha256.clone()).unwrap_or_default()
}

/// Consent must be there and cover the target's use: the center's record of the participant, or what the sheet says of a specimen
/// that the center does not know.
fn consent_covers(run: &LiveRun, wanted: Option<&str>, now: i64) -> Result<(), String> {
    let Some(wanted) = wanted else { return Ok(()) };
    if let Some(consent) = &run.consent {
        return consent.allows(wanted, now);
    }
    let specimen = &run.plan.specimen;
    match &specimen.consent {
        Some(consent) if consent.scopes.iter().any(|scope| scope == wanted) => Ok(()),
        Some(consent) => Err(format!(
            "consent {} of {} covers {}, not `{wanted}`",
            consent.record,
            specimen.id,
            consent.scopes.join(", ")
        )),
        None => Err(format!("no consent is recorded for {}, and this target needs `{wanted}`", specimen.id)),
    }
}

/// Digest over what is delivered: the same content to the same target is the same delivery.
fn content(specimen: &str, target: &str, files: &[ParcelFile]) -> String {
    let list: Vec<(&str, &str)> = files.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect();
    let hash = Sha256::digest(text(&(specimen, target, list)).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parcel that this step gave before, word for word, while its content is the same; else a new delivery. What travels with the
/// files may have changed since (a decision, a version of this program), and the package that lies at the target has not.
fn parcel(run: &LiveRun, index: usize, head: Document) -> Result<Parcel, String> {
    let target = head.receiver.as_str();
    let specimen = &run.plan.specimen.id;
    let files = files(run, index)?;
    let before = run.steps[index].detail.delivery.as_ref().and_then(|delivery| run.parcels.get(delivery));
    if let Some(before) = before
        && receiver(before) == Some(target)
        && before.document["recipient_key"].as_str() == head.recipient_key.as_deref()
        && content(specimen, target, &before.files) == content(specimen, target, &files)
    {
        return Ok(Parcel { files, ..before.clone() });
    }
    let delivery = crate::id::fresh("d");
    let earlier = run.parcels.values().filter(|parcel| receiver(parcel) == Some(target)).count();
    let again = if earlier > 0 { format!(".{}", earlier + 1) } else { String::new() };
    let document = json!(document::document(run, &delivery, head, &files));
    Ok(Parcel { delivery, folder: format!("{specimen}.{}{again}", run.id), files, document })
}

fn receiver(parcel: &Parcel) -> Option<&str> {
    parcel.document["receiver"].as_str()
}

fn files(run: &LiveRun, index: usize) -> Result<Vec<ParcelFile>, String> {
    let handoff = definition(run, index)?;
    let mut found = Vec::new();
    for template in &handoff.files {
        gather(run, index, template, &mut found)?;
    }
    for template in &handoff.files_if_made {
        // Not made is what the author allowed.
        let _ = gather(run, index, template, &mut found);
    }
    let files = name_files(&run.plan.specimen.id, found)?;
    if files.is_empty() { Err("there is no file to hand off".into()) } else { Ok(files) }
}

fn gather(run: &LiveRun, index: usize, template: &Template, found: &mut Vec<FileValue>) -> Result<(), String> {
    let expression = template.single().ok_or("a file to hand off is one `${{ … }}`")?;
    let value = expression.evaluate(&scope::of(run, index)).map_err(|error| error.to_string())?;
    let before = found.len();
    match &value {
        Value::Array(items) => found.extend(items.iter().filter_map(FileValue::of)),
        one => found.extend(FileValue::of(one)),
    }
    if found.len() == before { Err(format!("`{}` is not a file", expression.text)) } else { Ok(()) }
}

/// `<specimen>.<extension>`, or `<specimen>.<tool's name>` where that is taken; order of names.
fn name_files(specimen: &str, found: Vec<FileValue>) -> Result<Vec<ParcelFile>, String> {
    let mut extensions = BTreeMap::new();
    for file in &found {
        *extensions.entry(extension(&file.name).to_owned()).or_insert(0) += 1;
    }
    let mut named = BTreeMap::new();
    for (position, file) in found.into_iter().enumerate() {
        let short = extension(&file.name);
        let plain = short.starts_with(|c: char| c.is_ascii_alphanumeric()) && safe(short) == short;
        let alone = plain && extensions.get(short) == Some(&1);
        let mut name = if alone { format!("{specimen}.{short}") } else { format!("{specimen}.{}", safe(&file.name)) };
        if named.contains_key(&name) {
            name = format!("{specimen}.{position}.{}", safe(&file.name));
        }
        let (Some(source), Some(sha256), Some(size)) = (file.path, file.sha256, file.size) else {
            return Err(format!("file `{}` was not made or checked by this run", file.name));
        };
        named.insert(name.clone(), ParcelFile { name, source: source.into(), sha256, size });
    }
    Ok(named.into_values().collect())
}

fn extension(name: &str) -> &str {
    name.split_once('.').map_or("", |(_, extension)| extension)
}

fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> FileValue {
        FileValue {
            name: name.into(),
            path: Some("/s/x".into()),
            sha256: Some("ab".into()),
            size: Some(1),
            bundle: None,
            dir: false,
        }
    }

    fn names(found: &[&str]) -> Vec<String> {
        let files = name_files("S1", found.iter().map(|name| file(name)).collect()).expect("checked files");
        files.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn names_derive_from_the_specimen() {
        assert_eq!(names(&["merged.cram", "calls.vcf.gz"]), ["S1.cram", "S1.vcf.gz"]);
    }

    #[test]
    fn no_two_files_share_a_name() {
        assert_eq!(names(&["a.json", "b.json"]), ["S1.a.json", "S1.b.json"]);
        assert_eq!(names(&["a.json", "a.json"]).len(), 2);
    }

    #[test]
    fn a_name_from_a_tool_cannot_leave_the_package() {
        assert_eq!(names(&["..\n x", "y"]), ["S1...__x", "S1.y"]);
    }

    #[test]
    fn an_unchecked_file_is_not_delivered() {
        assert!(name_files("S1", vec![FileValue { sha256: None, ..file("a.b") }]).is_err());
    }
}
