//! Step 3 and 4: everything that is of the participant, whoever has some of it, and what is to be closed.

use std::collections::BTreeSet;

use serde_json::json;

use crate::id::fresh;
use crate::scheduler::center::desk::{By, Held, HeldParticipant};
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::scheduler::work::seal;
use crate::specimen::record::{CaseItem, Kind, LaneLibrary, Specimen};
use crate::state::case_item;
use crate::store::rows;

impl Service {
    /// Step 3: everything that is of this participant, with checksums, and whose else it is.
    pub(super) async fn impact(
        &mut self,
        participant: &HeldParticipant,
        runs: &[rows::Run],
        case: &str,
        by: &By,
    ) -> Result<usize, Refusal> {
        let mut items: Vec<CaseItem> = Vec::new();
        let mut seen = BTreeSet::new();
        for run in runs {
            for made in self.reader.made(run.run_id.as_str()).await? {
                if seen.insert(made.sha256.clone()) {
                    items.push(self.artifact_item(&made, &participant.row.participant_id).await?);
                }
            }
            for delivery in self.reader.deliveries_of(run.run_id.as_str()).await? {
                for file in self.taken_in(delivery.delivery_id.as_str()).await? {
                    if seen.insert(file.artifact.clone()) {
                        items.push(self.taken_in_item(&file, &participant.row.participant_id).await?);
                    }
                }
                let id = format!("{} at {}", delivery.delivery_id, delivery.target);
                items.push(CaseItem {
                    thing: "delivery".into(),
                    id,
                    sha256: delivery.manifest_sha256,
                    ..CaseItem::default()
                });
            }
        }
        for specimen in self.desk.records_of::<Specimen>(Kind::Specimen, &participant.row.participant_id).await? {
            items.push(CaseItem {
                thing: "specimen".into(),
                id: specimen.row.record_id.clone(),
                ..CaseItem::default()
            });
            for lane in self.desk.records_of::<LaneLibrary>(Kind::LaneLibrary, &specimen.row.record_id).await? {
                items.extend(lane_items(&lane));
            }
        }
        if !items.is_empty() {
            items.push(CaseItem {
                thing: "backup".into(),
                id: "backups of this site until their retention ends".into(),
                ..CaseItem::default()
            });
        }
        let count = items.len();
        for item in items {
            let body = json!({ "document": item });
            let mut held = self.desk.new_record(Kind::CaseItem, &fresh("j"), case_item::Status::Listed.word(), item);
            case.clone_into(&mut held.row.parent);
            held.row.owner.clone_from(&participant.row.institution);
            self.desk.record(&mut held, "case_item_listed", by, &body);
        }
        Ok(count)
    }

    async fn artifact_item(&self, made: &rows::Made, participant: &str) -> Result<CaseItem, Refusal> {
        let makers = self.reader.makers(&made.sha256).await?;
        let shared_with: Vec<String> = makers.into_iter().filter(|maker| maker != participant).collect();
        let size = self.reader.artifact(&made.sha256).await?.map_or(0, |found| u64::try_from(found.size).unwrap_or(0));
        let id = format!("{}/{}/{}", made.run_id, made.step_key, made.name);
        Ok(CaseItem {
            thing: "artifact".into(),
            id,
            sha256: made.sha256.clone(),
            size,
            shared_with,
            ..CaseItem::default()
        })
    }

    /// Files from outside that were taken in to be handed off: no run made them.
    async fn taken_in(&self, delivery: &str) -> Result<Vec<rows::PackageFile>, Refusal> {
        let mut found = Vec::new();
        for file in self.reader.package_files(delivery).await? {
            if !file.artifact.is_empty() && self.reader.makers(&file.artifact).await?.is_empty() {
                found.push(file);
            }
        }
        Ok(found)
    }

    async fn taken_in_item(&self, file: &rows::PackageFile, participant: &str) -> Result<CaseItem, Refusal> {
        let givers = self.reader.givers(&file.artifact).await?;
        let size = if file.header.is_empty() { file.size } else { file.plain_size };
        Ok(CaseItem {
            thing: "artifact".into(),
            id: format!("{}/{}", file.delivery_id, file.path),
            sha256: file.artifact.clone(),
            size: u64::try_from(size).unwrap_or(0),
            shared_with: givers.into_iter().filter(|giver| giver != participant).collect(),
            ..CaseItem::default()
        })
    }

    /// Step 4: whoever has something of this participant is told, and must answer.
    pub(super) async fn tell_receivers(
        &mut self,
        participant: &HeldParticipant,
        runs: &[rows::Run],
        case: &str,
        subject: &str,
        by: &By,
    ) -> Result<Vec<String>, Refusal> {
        let mut notices = Vec::new();
        for run in runs {
            for delivery in self.reader.deliveries_of(run.run_id.as_str()).await? {
                let body = json!({
                    "notice": subject, "case": case, "delivery": delivery.delivery_id, "target": delivery.target,
                    "specimen": delivery.specimen_id, "manifest_sha256": delivery.manifest_sha256,
                    "scopes": Self::scopes(participant),
                });
                notices.push(self.notify(&delivery.target, subject, case, body, by));
            }
        }
        for specimen in self.desk.records_of::<Specimen>(Kind::Specimen, &participant.row.participant_id).await? {
            if specimen.doc.custody != "in_lab" && !specimen.doc.custody.is_empty() {
                let body = json!({ "notice": subject, "case": case, "specimen": specimen.row.record_id, "custody": specimen.doc.custody });
                notices.push(self.notify("biobank", subject, case, body, by));
            }
        }
        Ok(notices)
    }

    /// What is to be closed, once everything that ran has ended.
    pub(super) async fn seal_work(&self, case: &str, runs: &[rows::Run]) -> Result<seal::Work, Refusal> {
        let mut work = seal::Work {
            artifacts: self.house.artifacts.clone(),
            site: self.house.options.directory.clone(),
            case: case.to_owned(),
            runs: Vec::new(),
            attempts: Vec::new(),
            files: Vec::new(),
        };
        let participant = runs.first().map(|run| run.participant_id.clone()).unwrap_or_default();
        for run in runs {
            work.runs.push((run.specimen_id.clone(), run.run_id.to_string()));
            for attempt in self.reader.attempts(run.run_id.as_str()).await? {
                work.attempts.push(attempt.attempt_id.to_string());
            }
            for delivery in self.reader.deliveries_of(run.run_id.as_str()).await? {
                for file in self.taken_in(delivery.delivery_id.as_str()).await? {
                    // What was handed off for another participant too stays open, as what was made for both.
                    let ours = self.reader.givers(&file.artifact).await?.iter().all(|giver| *giver == participant);
                    if ours && !work.files.iter().any(|(sha256, _)| *sha256 == file.artifact) {
                        work.files.push((file.artifact, false));
                    }
                }
            }
            for made in self.reader.made(run.run_id.as_str()).await? {
                let makers = self.reader.makers(&made.sha256).await?;
                if makers.iter().all(|maker| *maker == participant) {
                    let dir = self.reader.artifact(&made.sha256).await?.is_some_and(|found| found.dir != 0);
                    work.files.push((made.sha256, dir));
                }
            }
        }
        Ok(work)
    }
}

fn lane_items(lane: &Held<LaneLibrary>) -> Vec<CaseItem> {
    let mut items = vec![CaseItem { thing: "lane".into(), id: lane.row.record_id.clone(), ..CaseItem::default() }];
    items.extend(lane.doc.files.iter().map(|(_, path)| CaseItem {
        thing: "run_folder".into(),
        id: path.clone(),
        ..CaseItem::default()
    }));
    items
}
