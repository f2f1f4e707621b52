//! Moving an order line, and looking what may follow by itself: enough reads, consent, no hold, the family, a workflow to start.

use serde_json::{Value, json};

use super::desk::{By, Desk, HeldOrder, document};
use crate::scheduler::handle::Refusal;
use crate::specimen::expectation;
use crate::specimen::record::{Assay, Kind, LaneLibrary, Pause, WorkRequest};
use crate::state::order::{self, Event, Stage};
use crate::state::{consent, work_request};

/// An order line that expects nothing never lapses.
pub(in crate::scheduler) const NEVER: i64 = i64::MAX;

/// Where an order line stands.
pub(in crate::scheduler) fn stage(order: &HeldOrder) -> Result<Stage, Refusal> {
    Stage::parse(&order.row.stage).ok_or_else(|| {
        let found = order.row.stage.clone();
        Refusal::Store(crate::store::Error::Unknown { what: "a stage", found })
    })
}

/// A version of an assay has this id.
#[must_use]
pub fn assay_id(name: &str, version: &str) -> String {
    format!("{name}@{version}")
}

impl Desk {
    /// The assay version that an order line asks for; one that was never described has no numbers and no workflow.
    pub(in crate::scheduler) async fn assay(&self, order: &HeldOrder) -> Result<Assay, Refusal> {
        let id = assay_id(&order.row.assay, &order.row.assay_version);
        Ok(self.find::<Assay>(Kind::Assay, &id).await?.map(|found| found.doc).unwrap_or_default())
    }

    /// Moves an order line on, with its clock, its round and what it expects next.
    pub(in crate::scheduler) async fn move_order(
        &mut self,
        order: &mut HeldOrder,
        event: Event,
        by: &By,
        body: Value,
    ) -> Result<(), Refusal> {
        let from = stage(order)?;
        let next = from.next(event).map_err(|_| {
            let reason = order::refusal(from, event);
            Refusal::State(format!("order line {}: {} ({})", order.row.order_line_id, reason.en, reason.code))
        })?;
        if event.opens_round() {
            order.row.round += 1;
            let run = std::mem::take(&mut order.row.run_id);
            if !run.is_empty() {
                order.doc.earlier_runs.push(run);
            }
            order.doc.waived.clear();
            order.doc.values_waived.clear();
            order.doc.decided_by.clear();
            order.doc.asked.clear();
        }
        let now = self.now;
        self.run_clock(order, next, now);
        next.word().clone_into(&mut order.row.stage);
        order.doc.since.insert(next.word().to_owned(), now);
        if let Some(reason) = body.get("reason").and_then(Value::as_str) {
            reason.clone_into(&mut order.doc.reason);
        }
        self.expect(order, next).await?;
        self.record_order(order, event.word(), by, &body);
        Ok(())
    }

    fn run_clock(&self, order: &mut HeldOrder, next: Stage, now: i64) {
        let open = order.doc.pauses.iter_mut().find(|pause| pause.to_us.is_none());
        match (open, next.clock_pauses()) {
            (None, true) => order.doc.pauses.push(Pause { from_us: now, to_us: None, reason: next.word().to_owned() }),
            (Some(pause), false) => {
                pause.to_us = Some(now);
                order.row.due_us = order.row.due_us.saturating_add(now - pause.from_us);
            }
            _ => {}
        }
    }

    /// Says until when something must have happened.
    pub(in crate::scheduler) async fn expect(&self, order: &mut HeldOrder, stage: Stage) -> Result<(), Refusal> {
        let assay = self.assay(order).await?;
        let since = order.doc.since.get(stage.word()).copied().unwrap_or(self.now);
        order.row.expect_us = match expectation::of(stage, since, &assay.targets) {
            Some(expected) if order.row.hold == "null" => expected.due_us,
            _ => NEVER,
        };
        Ok(())
    }

    /// Reads that count, over all lanes of the specimen.
    pub(in crate::scheduler) async fn count_reads(&self, specimen: &str) -> Result<u64, Refusal> {
        let lanes = self.records_of::<LaneLibrary>(Kind::LaneLibrary, specimen).await?;
        Ok(lanes.iter().filter(|lane| lane.doc.counts_toward_order).map(|lane| lane.doc.reads).sum())
    }

    /// The data of a round is there: is it enough?
    pub(in crate::scheduler) async fn judge_reads(&mut self, order: &mut HeldOrder, by: &By) -> Result<(), Refusal> {
        order.doc.reads = self.count_reads(&order.row.specimen_id).await?;
        let (reads, needed, ordered) = (order.doc.reads, order.doc.reads_needed, order.doc.reads_ordered);
        let body = json!({ "reads": reads, "needed": needed, "ordered": ordered });
        let at = stage(order)?;
        // A lane that counts after all may make up for what was missing.
        let made_up = at == Stage::SequenceQcFailed && reads >= needed;
        if at != Stage::Sequenced && !made_up {
            self.record_order(order, "reads_counted", by, &body);
            return Ok(());
        }
        if reads >= needed || !order.doc.waived.is_empty() {
            return self.move_order(order, Event::SequenceQcPassed, by, body).await;
        }
        self.move_order(order, Event::SequenceQcFailed, by, body).await
    }

    /// Work that the bench was asked for is answered by what came in.
    pub(in crate::scheduler) async fn fulfill(
        &mut self,
        order: &HeldOrder,
        what: &str,
        by: &By,
    ) -> Result<(), Refusal> {
        for mut wish in self.records_of::<WorkRequest>(Kind::WorkRequest, &order.row.order_line_id).await? {
            if wish.go(work_request::Event::Fulfilled).is_err() {
                // It ended before: fulfilled, refused or taken back.
                continue;
            }
            what.clone_into(&mut wish.doc.fulfilled_by);
            self.record(&mut wish, "work_fulfilled", by, &json!({ "by": what }));
        }
        Ok(())
    }

    /// Does what is known of the participant's consent cover this use?
    ///
    /// # Errors
    /// The reason, in one sentence.
    pub(in crate::scheduler) async fn consent_covers(&self, participant: &str, wanted: &str) -> Result<(), Refusal> {
        let participant = self.participant(participant).await?;
        consent_in_force(&participant.row, wanted, self.now).map_err(Refusal::State)
    }
}

/// Does what is in force cover this use now?
///
/// # Errors
/// The reason, in one sentence.
pub(crate) fn consent_in_force(
    participant: &crate::store::rows::center::Participant,
    wanted: &str,
    now: i64,
) -> Result<(), String> {
    let who = &participant.pseudonym;
    // By the clock, also when nobody has written it down yet.
    if participant.expires_us <= now {
        return Err(format!("the consent of {who} ended on {}", super::consent::day(participant.expires_us)));
    }
    match consent::Status::parse(&participant.consent) {
        Some(consent::Status::Given | consent::Status::Partial) => {}
        Some(consent::Status::Unknown) => return Err(format!("no consent is recorded for {who}; it needs `{wanted}`")),
        Some(status) => return Err(format!("the consent of {who} is {status}")),
        None => return Err(format!("the consent of {who} is `{}`, which nobody understands", participant.consent)),
    }
    let scopes: Vec<String> = document("scopes", &participant.scopes).unwrap_or_default();
    if scopes.iter().any(|scope| scope == wanted) {
        Ok(())
    } else {
        Err(format!("the consent of {who} covers {}, not `{wanted}`", scopes.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_covers_its_uses_until_it_ends() {
        let mut row = crate::store::rows::center::Participant {
            participant_id: "p1".into(),
            program: "rare".into(),
            pseudonym: "P1".into(),
            institution: "H1".into(),
            consent: "given".into(),
            scopes: r#"["sequencing"]"#.into(),
            consent_epoch: 1,
            family: String::new(),
            document: "{}".into(),
            events: 1,
            created_us: 0,
            updated_us: 0,
            version: 1,
            expires_us: 100,
        };
        assert_eq!(consent_in_force(&row, "sequencing", 99), Ok(()));
        assert!(consent_in_force(&row, "research_abroad", 99).is_err_and(|why| why.contains("covers sequencing")));
        // At that moment, and though nobody has written it down.
        assert!(consent_in_force(&row, "sequencing", 100).is_err_and(|why| why.contains("ended on 1970-01-01")));
        row.expires_us = NEVER;
        for over in ["unknown", "withdrawn", "refused", "expired", "nonsense"] {
            row.consent = over.into();
            assert!(consent_in_force(&row, "sequencing", 99).is_err(), "{over}");
        }
    }
}
