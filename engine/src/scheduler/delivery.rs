//! A `handoff` step: which files under which names go where, and the document that travels with them.
//!
//! File names derive from the specimen's id only; nothing clinical is in the document, the pseudonym is the link.

use std::collections::BTreeMap;

use kentai_workflows::expression::Template;
use kentai_workflows::value::{FileValue, Map, Value};
use kentai_workflows::workflow::{Handoff, StepKind};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::house::{Effect, House};
use super::live::{LiveRun, text};
use super::{scope, work};
use crate::id::RunId;
use crate::port::courier::{Parcel, ParcelFile};
use crate::store::rows;
use crate::store::writer::Table;

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
        if self.signatures_missing(id) > 0 {
            self.ask_release(id, index, &name);
            return Ok(());
        }
        let parcel = parcel(self.run(id), index, &self.options.site, &name)?;
        let row = self.delivery_row(id, index, &name, &parcel, self.now);
        self.ledger.change.put(Table::Delivery, &row);
        let run = self.run_mut(id);
        run.steps[index].detail.delivery = Some(parcel.delivery.clone());
        run.parcels.insert(parcel.delivery.clone(), parcel.clone());
        self.begin_work(id, index, &json!({ "delivery": parcel.delivery, "target": name }));
        self.effect(Effect::Carry(
            id.clone(),
            index,
            Box::new(work::carry::Work { courier: target.courier, parcel, target: name }),
        ));
        Ok(())
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

/// The same package again, after a crash in the middle of carrying it.
pub(super) fn again(house: &House, id: &RunId, index: usize) -> Result<work::carry::Work, String> {
    let run = house.run(id);
    let name = target(run, index)?;
    let target =
        house.options.targets.get(&name).ok_or_else(|| format!("this site has no target `{name}` any more"))?;
    let parcel = parcel(run, index, &house.options.site, &name)?;
    Ok(work::carry::Work { courier: std::sync::Arc::clone(&target.courier), parcel, target: name })
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
fn parcel(run: &LiveRun, index: usize, site: &str, target: &str) -> Result<Parcel, String> {
    let specimen = &run.plan.specimen.id;
    let files = files(run, index)?;
    let before = run.steps[index].detail.delivery.as_ref().and_then(|delivery| run.parcels.get(delivery));
    if let Some(before) = before
        && receiver(before) == Some(target)
        && content(specimen, target, &before.files) == content(specimen, target, &files)
    {
        return Ok(Parcel { files, ..before.clone() });
    }
    let delivery = crate::id::fresh("d");
    let document = document(run, &delivery, site, target, &files);
    let earlier = run.parcels.values().filter(|parcel| receiver(parcel) == Some(target)).count();
    let again = if earlier > 0 { format!(".{}", earlier + 1) } else { String::new() };
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

fn document(run: &LiveRun, delivery: &str, site: &str, target: &str, files: &[ParcelFile]) -> Value {
    let specimen = &run.plan.specimen;
    let quality: Vec<Value> = run
        .steps
        .iter()
        .filter_map(|step| {
            step.detail.gate.as_ref().map(|report| json!({ "step": step.planned.key, "report": report }))
        })
        .collect();
    let decisions: Vec<Value> = run
        .steps
        .iter()
        .flat_map(|step| {
            step.detail.answers.iter().map(|answer| json!({ "step": step.planned.key, "decision": answer }))
        })
        .collect();
    json!({
        "delivery": delivery,
        "sender": site,
        "receiver": target,
        "specimen": specimen.id,
        "participant": specimen.participant,
        "barcode": specimen.barcode,
        "consent": consent_now(run),
        "workflow": { "id": run.plan.workflow, "version": run.plan.version, "sha256": run.plan.workflow_digest },
        "run": run.id,
        "images": *run.images,
        "params": run.plan.params.iter().map(|(name, value)| (name.clone(), outward(value))).collect::<Map>(),
        "files": files.iter().map(|file| json!({ "name": file.name, "size": file.size, "sha256": file.sha256 })).collect::<Vec<_>>(),
        "quality": quality,
        "decisions": decisions,
    })
}

/// Consent as it is at this hour: the center's record, or the sheet's word for a specimen that the center does not know.
fn consent_now(run: &LiveRun) -> Value {
    let told = &run.plan.specimen.consent;
    let Some(standing) = &run.consent else { return json!(told) };
    let scopes: Value = serde_json::from_str(&standing.row.scopes).unwrap_or_default();
    json!({ "record": told.as_ref().map(|told| told.record.clone()), "status": standing.row.consent, "scopes": scopes })
}

/// A parameter as a receiver may see it: files by name, a reference by its bundle's name, no path of ours.
fn outward(value: &Value) -> Value {
    if let Some(file) = FileValue::of(value) {
        return json!({ "name": file.name, "sha256": file.sha256 });
    }
    let Value::Object(roles) = value else { return value.clone() };
    let bundle = roles.values().find_map(FileValue::of).and_then(|file| file.bundle);
    let name = bundle.as_deref().and_then(|directory| directory.rsplit('/').next());
    name.map_or_else(|| roles.iter().map(|(role, value)| (role.clone(), outward(value))).collect(), Value::from)
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
    fn a_receiver_sees_no_path_of_ours() {
        let bundle = FileValue { bundle: Some("/site/references/GRCh38@1".into()), ..file("g.fa") };
        let reference = json!({ "fasta": bundle.to_value(), "bwa": bundle.to_value() });
        assert_eq!(outward(&reference), json!("GRCh38@1"));
        assert!(!outward(&json!({ "x": file("a.b").to_value() })).to_string().contains("/s/x"));
    }

    #[test]
    fn an_unchecked_file_is_not_delivered() {
        assert!(name_files("S1", vec![FileValue { sha256: None, ..file("a.b") }]).is_err());
    }
}
