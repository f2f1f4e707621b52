//! A withdrawal is a case, not a delete: stop, close, list, notify, decide by two, destroy with a certificate, close.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::desk::{By, Held, HeldParticipant, unknown};
use super::order::stage;
use super::request::Answer;
use crate::id::fresh;
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::work::seal;
use crate::specimen::record::{Case, CaseItem, Certificate, Consent, Kind, LaneLibrary, Notice, Specimen};
use crate::state::consent::{Event as ConsentEvent, Status};
use crate::state::order::Event;
use crate::store::rows;
use crate::store::writer::Table;

/// Until when a receiver must have answered.
const NOTICE_DUE_US: i64 = 14 * 86_400 * 1_000_000;

/// A participant takes consent back.
pub(in crate::scheduler) struct Wish<'a> {
    pub(in crate::scheduler) scopes: &'a [String],
    pub(in crate::scheduler) evidence: &'a str,
    pub(in crate::scheduler) noticed_us: Option<i64>,
}

impl Service {
    /// Steps 0 to 4: on record, nothing runs, nothing opens, everything listed, everybody told.
    pub(in crate::scheduler) async fn withdraw(
        &mut self,
        (program, pseudonym): (&str, &str),
        wish: &Wish<'_>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if wish.evidence.trim().is_empty() {
            return Err(Refusal::Bad("a withdrawal needs the place of its notice (--evidence)".into()));
        }
        let mut participant = self.participant_named(program, pseudonym).await?;
        let allowed = Self::scopes(&participant);
        let left: Vec<String> = allowed.iter().filter(|scope| !wish.scopes.contains(scope)).cloned().collect();
        if participant.row.consent == Status::Withdrawn.word() {
            let case = participant.doc.case.clone();
            return Ok(Answer {
                said: format!("{pseudonym} has withdrawn: case {case}"),
                unchanged: 1,
                ..Answer::default()
            });
        }
        let full = wish.scopes.is_empty() || left.is_empty();
        let case = self.open_case(&mut participant, wish, by).await?;
        let (event, left) = if full { (ConsentEvent::Withdrawn, Vec::new()) } else { (ConsentEvent::Narrowed, left) };
        self.set_consent(&mut participant, event, left, by)?;
        self.consent_changed(&participant.row.participant_id).await?;
        if full { self.withdraw_all(&participant, case, by).await } else { self.narrow(&participant, case, by).await }
    }

    async fn open_case(
        &mut self,
        participant: &mut HeldParticipant,
        wish: &Wish<'_>,
        by: &By,
    ) -> Result<Held<Case>, Refusal> {
        let now = self.desk.now;
        let noticed_us = wish.noticed_us.unwrap_or(now);
        let consent = Consent {
            document: "withdrawal".into(),
            scopes: wish.scopes.to_vec(),
            effective_us: noticed_us,
            recorded_by: by.name.clone(),
            evidence: wish.evidence.into(),
            ..Consent::default()
        };
        let status = if wish.scopes.is_empty() { "withdrawn" } else { "narrowed" };
        let mut record = self.desk.new_record(Kind::Consent, &fresh("c"), status, consent);
        record.row.parent.clone_from(&participant.row.participant_id);
        record.row.owner.clone_from(&participant.row.institution);
        let body = json!({ "document": record.doc, "status": status });
        self.desk.record(&mut record, "consent_recorded", by, &body);
        let id = fresh("k");
        let doc = Case {
            scopes: wish.scopes.to_vec(),
            evidence: wish.evidence.into(),
            recorded_by: by.name.clone(),
            noticed_us,
            ..Case::default()
        };
        let mut case = self.desk.new_record(Kind::Case, &id, "recorded", doc);
        case.row.parent.clone_from(&participant.row.participant_id);
        case.row.owner.clone_from(&participant.row.institution);
        self.desk.record(&mut case, "case_opened", by, &json!({ "evidence": wish.evidence, "scopes": wish.scopes }));
        participant.doc.case = id;
        Ok(case)
    }

    async fn withdraw_all(
        &mut self,
        participant: &HeldParticipant,
        mut case: Held<Case>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let id = case.row.record_id.clone();
        let runs = self.reader.runs_of_participant(&participant.row.participant_id).await?;
        case.doc.runs = self.stop_runs(&runs, &id).await?;
        for mut order in self.desk.orders_of_participant(&participant.row.participant_id).await? {
            if stage(&order)?.word() != "withdrawn" {
                let body = json!({ "case": id, "reason": "consent was withdrawn" });
                self.desk.move_order(&mut order, Event::Withdrawn, by, body).await?;
            }
        }
        case.row.status = "stopped".into();
        let body = json!({ "runs": case.doc.runs });
        self.desk.record(&mut case, "case_stopped", by, &body);
        let items = self.impact(participant, &runs, &id, by).await?;
        let notices = self.tell_receivers(participant, &runs, &id, "withdrawal", by).await?;
        case.row.status = "listed".into();
        self.desk.record(&mut case, "case_listed", by, &json!({ "items": items, "notices": notices }));
        // Closing follows the commit: what was made readable before it is closed, what is made later never opens.
        self.house.effect(Effect::Seal(Box::new(self.seal_work(&id, &runs).await?)));
        Ok(Answer {
            said: format!(
                "case {id}: {} run(s) stopped, {items} thing(s) listed, {} notice(s)",
                case.doc.runs.len(),
                notices.len()
            ),
            changed: vec![format!("case {id}"), format!("participant {}", participant.row.participant_id)],
            notes: vec![format!("decide each thing with two people: `kentai consent case {id}`")],
            ..Answer::default()
        })
    }

    /// Only a use is taken back: work that does not need it goes on, receivers are told.
    async fn narrow(
        &mut self,
        participant: &HeldParticipant,
        mut case: Held<Case>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let id = case.row.record_id.clone();
        let runs = self.reader.runs_of_participant(&participant.row.participant_id).await?;
        let notices = self.tell_receivers(participant, &runs, &id, "scope_change", by).await?;
        case.row.status = "notified".into();
        self.desk.record(&mut case, "case_notified", by, &json!({ "notices": notices }));
        Ok(Answer {
            said: format!("case {id}: the scope is narrower, {} notice(s)", notices.len()),
            changed: vec![format!("case {id}"), format!("participant {}", participant.row.participant_id)],
            ..Answer::default()
        })
    }

    /// Every open run of the participant is ended; what cannot be read any more cannot start either.
    async fn stop_runs(&mut self, runs: &[rows::Run], case: &str) -> Result<Vec<String>, Refusal> {
        let engine = Actor { name: crate::scheduler::advance::ENGINE.into(), ..Actor::default() };
        let mut stopped = Vec::new();
        for run in runs {
            let open = crate::state::run::Status::parse(&run.status).is_some_and(|status| !status.is_end());
            if open && self.load(&run.run_id).await? {
                self.load_children_of(&run.run_id).await?;
                if self.house.cancel(&run.run_id, &engine, &format!("consent was withdrawn (case {case})")).is_ok() {
                    self.house.hurry(&run.run_id);
                    stopped.push(run.run_id.to_string());
                }
            }
        }
        Ok(stopped)
    }

    /// Step 3: everything that is of this participant, with checksums, and whose else it is.
    async fn impact(
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
            let mut held = self.desk.new_record(Kind::CaseItem, &fresh("j"), "listed", item);
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

    /// Step 4: whoever has something of this participant is told, and must answer.
    async fn tell_receivers(
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

    /// A message that somebody outside must answer. It leaves after the commit.
    pub(in crate::scheduler) fn notify(
        &mut self,
        to: &str,
        subject: &str,
        parent: &str,
        body: Value,
        by: &By,
    ) -> String {
        let id = fresh("n");
        let doc = Notice {
            to: to.into(),
            subject: subject.into(),
            body,
            due_us: self.desk.now + NOTICE_DUE_US,
            ..Notice::default()
        };
        let told = json!({ "to": to, "subject": subject, "body": doc.body });
        let mut held = self.desk.new_record(Kind::Notice, &id, "pending", doc);
        parent.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "notice_written", by, &told);
        id
    }

    /// What is to be closed, once everything that ran has ended.
    async fn seal_work(&self, case: &str, runs: &[rows::Run]) -> Result<seal::Work, Refusal> {
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

    /// The outputs of a case are closed.
    pub(in crate::scheduler) async fn on_sealed(&mut self, case: &str, sealed: seal::Sealed) -> Result<(), Refusal> {
        let now = self.desk.now;
        let by = By::engine();
        for (sha256, dir) in &sealed.files {
            if let Some(mut row) = self.reader.artifact(sha256).await? {
                row.sealed = case.to_owned();
                row.dir = i64::from(*dir);
                self.house.ledger.change.put(Table::Artifact, &row);
            }
        }
        let mut held = self.desk.get::<Case>(Kind::Case, case).await?;
        let runs = self.reader.runs_of_participant(&held.row.parent).await?;
        let is_open =
            |run: &rows::Run| crate::state::run::Status::parse(&run.status).is_some_and(|status| !status.is_end());
        if let Some(problem) = sealed.problem {
            tracing::error!(case, problem, "outputs of a withdrawn participant cannot be closed; tried again");
            self.house.effect(Effect::SealAgain(case.to_owned()));
            return Ok(());
        }
        if runs.iter().any(is_open) {
            // Something still ran when the files were closed: again, when it has ended.
            self.house.effect(Effect::SealAgain(case.to_owned()));
            return Ok(());
        }
        held.doc.stopped_us.get_or_insert(now);
        held.doc.sealed_us = Some(now);
        if held.row.status == "listed" {
            held.row.status = "sealed".into();
        }
        self.desk.record(&mut held, "case_sealed", &by, &json!({ "artifacts": sealed.files.len() }));
        Ok(())
    }

    /// Looks again at what a case has to close.
    pub(in crate::scheduler) async fn seal_again(&mut self, case: &str) -> Result<(), Refusal> {
        let held = self.desk.get::<Case>(Kind::Case, case).await?;
        let runs = self.reader.runs_of_participant(&held.row.parent).await?;
        let work = self.seal_work(case, &runs).await?;
        self.house.effect(Effect::Seal(Box::new(work)));
        Ok(())
    }

    /// Step 5, the first person.
    pub(in crate::scheduler) async fn case_decide(
        &mut self,
        id: &str,
        (decision, reference, reason): (&str, &str, &str),
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        match (decision, reference) {
            ("destroy" | "stub", _) => {}
            ("keep", "") => return Err(Refusal::Bad("what is kept needs its ethics reference (--reference)".into())),
            ("keep", _) => {}
            (other, _) => return Err(Refusal::Bad(format!("`{other}` is none of: destroy, keep, stub"))),
        }
        if decision == "destroy" && !item.doc.shared_with.is_empty() {
            return Err(Refusal::State(format!(
                "it is also made from {}: it is not destroyed by this case; decide `stub` or `keep`",
                item.doc.shared_with.join(", ")
            )));
        }
        if item.row.status == "done" {
            return Err(Refusal::State(format!("item {id} is done")));
        }
        decision.clone_into(&mut item.doc.decision);
        reference.clone_into(&mut item.doc.reference);
        item.doc.proposed_by.clone_from(&by.name);
        item.doc.confirmed_by.clear();
        item.row.status = "proposed".into();
        self.desk.record(
            &mut item,
            "case_item_proposed",
            by,
            &json!({ "decision": decision, "reference": reference, "reason": reason }),
        );
        Ok(Answer {
            said: format!("item {id}: {decision} is proposed; another person confirms"),
            changed: vec![format!("case_item {id}")],
            ..Answer::default()
        })
    }

    /// Step 5, the second person; step 6 follows at once.
    pub(in crate::scheduler) async fn case_confirm(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        if item.row.status != "proposed" {
            return Err(Refusal::State(format!("item {id} is {}: nothing is proposed", item.row.status)));
        }
        if item.doc.proposed_by == by.name {
            return Err(Refusal::NotAllowed(format!("{} proposed it: another person confirms", by.name)));
        }
        item.doc.confirmed_by.clone_from(&by.name);
        let mut method = "kept, with an ethics reference".to_owned();
        if item.doc.decision == "destroy" && item.doc.thing == "artifact" {
            let gone = self.house.artifacts.destroy_sealed(&item.doc.sha256);
            method =
                gone.map_err(|error| Refusal::Unreachable(format!("cannot destroy {}: {error}", item.doc.sha256)))?;
        } else if item.doc.decision == "destroy" {
            method = "destroyed outside, as recorded".into();
        } else if item.doc.decision == "stub" {
            method = "only its name and checksum stay".into();
        }
        let certificate = Certificate {
            sha256: item.doc.sha256.clone(),
            method,
            at_us: self.desk.now,
            by: vec![item.doc.proposed_by.clone(), by.name.clone()],
        };
        let body = json!({ "decision": item.doc.decision, "certificate": certificate });
        item.doc.certificate = Some(certificate);
        item.row.status = "done".into();
        self.desk.record(&mut item, "case_item_done", by, &body);
        Ok(Answer {
            said: format!("item {id}: {} is done", item.doc.decision),
            changed: vec![format!("case_item {id}")],
            ..Answer::default()
        })
    }

    /// Step 7: somebody outside answered.
    pub(in crate::scheduler) async fn notice_answered(
        &mut self,
        id: &str,
        receipt: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if receipt.trim().is_empty() {
            return Err(Refusal::Bad("an answer needs its reference (--receipt)".into()));
        }
        let mut notice = self.desk.find::<Notice>(Kind::Notice, id).await?.ok_or_else(|| unknown("notice", id))?;
        receipt.clone_into(&mut notice.doc.receipt);
        notice.row.status = "answered".into();
        self.desk.record(&mut notice, "notice_answered", by, &json!({ "receipt": receipt }));
        Ok(Answer {
            said: format!("notice {id} is answered"),
            changed: vec![format!("notice {id}")],
            ..Answer::default()
        })
    }

    /// Step 8: everything is decided and answered; the audit stays.
    pub(in crate::scheduler) async fn case_close(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut case = self.desk.get::<Case>(Kind::Case, id).await?;
        let items = self.desk.records_of::<CaseItem>(Kind::CaseItem, id).await?;
        let notices = self.desk.records_of::<Notice>(Kind::Notice, id).await?;
        let open = items.iter().filter(|item| item.row.status != "done").count();
        let unanswered = notices.iter().filter(|notice| notice.row.status != "answered").count();
        if open + unanswered > 0 {
            return Err(Refusal::State(format!(
                "case {id}: {open} thing(s) without a decision, {unanswered} notice(s) without an answer"
            )));
        }
        case.row.status = "closed".into();
        self.desk.record(&mut case, "case_closed", by, &json!({ "items": items.len(), "notices": notices.len() }));
        Ok(Answer { said: format!("case {id} is closed"), changed: vec![format!("case {id}")], ..Answer::default() })
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
