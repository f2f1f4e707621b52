//! A withdrawal is a case, not a delete: stop, close, list, notify, decide by two, destroy with a certificate, close.

mod case;
mod impact;

use serde_json::json;

use super::desk::{By, Held, HeldParticipant};
use super::order::{NEVER, stage};
use super::request::Answer;
use crate::id::fresh;
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::work::seal;
use crate::specimen::record::{Case, Consent, Kind};
use crate::state::consent::{Event as ConsentEvent, Status};
use crate::state::order::Event;
use crate::state::withdrawal::{self, Event as CaseEvent};
use crate::store::rows;
use crate::store::writer::Table;

/// A participant takes consent back.
pub(in crate::scheduler) struct Wish<'a> {
    pub(in crate::scheduler) scopes: &'a [String],
    pub(in crate::scheduler) evidence: &'a str,
    pub(in crate::scheduler) noticed_us: Option<i64>,
    pub(in crate::scheduler) reason: &'a str,
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
        if wish.noticed_us.is_some_and(|at| at > self.desk.now) {
            return Err(Refusal::Bad(
                "a withdrawal was said before it is recorded: its time is still to come (--noticed)".into(),
            ));
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
        let (event, terms) = if full {
            (ConsentEvent::Withdrawn, (Vec::new(), NEVER))
        } else {
            (ConsentEvent::Narrowed, (left, participant.row.expires_us))
        };
        self.set_consent(&mut participant, event, terms, by)?;
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
            reason: wish.reason.into(),
            ..Case::default()
        };
        let mut case = self.desk.new_record(Kind::Case, &id, withdrawal::Status::Recorded.word(), doc);
        case.row.parent.clone_from(&participant.row.participant_id);
        case.row.owner.clone_from(&participant.row.institution);
        let body = json!({ "evidence": wish.evidence, "scopes": wish.scopes, "reason": wish.reason });
        self.desk.record(&mut case, "case_opened", by, &body);
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
        let recalled = self.call_back_all(&runs, |_| false, "consent was withdrawn", by).await?;
        case.go(CaseEvent::Stopped)?;
        let body = json!({ "runs": case.doc.runs, "deliveries": recalled });
        self.desk.record(&mut case, "case_stopped", by, &body);
        let items = self.impact(participant, &runs, &id, by).await?;
        let notices = self.tell_receivers(participant, &runs, &id, "withdrawal", by).await?;
        case.go(CaseEvent::Listed)?;
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
        let scopes = Self::scopes(participant);
        let covered = |wanted: &str| wanted.is_empty() || scopes.iter().any(|scope| scope == wanted);
        self.call_back_all(&runs, covered, "consent does not cover this use any more", by).await?;
        let notices = self.tell_receivers(participant, &runs, &id, "scope_change", by).await?;
        case.go(CaseEvent::Notified)?;
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
        // Closed again, after something that had still been running: it is sealed already.
        if held.row.status == withdrawal::Status::Listed.word() {
            held.go(CaseEvent::Sealed)?;
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
}
