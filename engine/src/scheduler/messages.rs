//! What each message means for the house: one arm each, and nothing else.

use super::center::desk::By;
use super::handle::{Message, Refusal};
use super::service::{Error, Service};

impl Service {
    pub(super) async fn take(&mut self, message: Message) -> Result<(), Error> {
        match message {
            Message::Submitted(ready, reply) => self.take_submission(*ready, reply).await?,
            Message::About(run, actor, request, reply) => {
                let result = self.about(&run, &actor, request).await;
                self.done(reply, result);
            }
            Message::Why(run, step, reply) => {
                let result = match self.load_by(&run).await {
                    Ok(id) => Ok(self.house.why(&id, step.as_deref())),
                    Err(refusal) => Err(refusal),
                };
                self.reply(reply, result);
            }
            Message::Queue(durations, reply) => {
                let waiting = self.house.waiting(&durations);
                self.reply(reply, Ok(waiting));
            }
            Message::Keep(mut change, reply) => {
                self.house.ledger.change.absorb(&mut change);
                self.done(reply, Ok(()));
            }
            Message::Turn(reply) => self.reply(reply, Ok(())),
            Message::Once(once, act, message, recall) => self.take_once((once, act), *message, recall).await?,
            Message::Report(id, report) => self.house.on_report(&id, report),
            Message::Center(request, actor, reply) => {
                let result = self.take_center(*request, &actor).await;
                if result.as_ref().is_ok_and(|answer| answer.dry_run || !answer.problems.is_empty()) {
                    self.askings.forget();
                }
                self.done(reply, result);
            }
            Message::Look(look, reply) => {
                let result = self.on_look(*look).await;
                match &result {
                    Ok(()) => self.desk.keep(),
                    Err(_) => self.desk.sweep(),
                }
                self.reply(reply, result);
            }
            Message::Prepared(order, round, result) => {
                let result = self.on_prepared(&order, round, *result).await;
                self.own_doing("an order line's run", result)?;
                // Queued runs are loaded from the database: they must be there before the window is filled.
                self.commit().await?;
            }
            Message::Measured(order, run, files) => {
                let result = self.on_measured(&order, &run, &files).await;
                self.own_doing("what a run says of the person", result)?;
            }
            Message::Sealed(case, sealed) => {
                let result = self.on_sealed(&case, sealed).await;
                self.own_doing("a withdrawal", result)?;
            }
            Message::Destroyed(item, how) => {
                self.desk.now = self.house.now;
                let result = match how {
                    Ok(how) => self.case_item_done(&item, &how, &By::engine()).await.map(drop),
                    Err(reason) => Err(Refusal::Unreachable(format!("cannot destroy what item {item} is: {reason}"))),
                };
                self.own_doing("a withdrawal", result)?;
            }
            Message::Retired(id, done) => {
                let result = self.on_retired(&id, &done).await;
                self.own_doing("a retirement", result)?;
            }
            Message::SealAgain(case) => {
                let result = self.seal_again(&case).await;
                self.own_doing("a withdrawal", result)?;
            }
            Message::Posted(notice) => {
                let result = self.on_posted(&notice).await;
                self.own_doing("a notice", result)?;
            }
            Message::Letter(notice, place, said) => {
                let result = self.on_letter(&notice, place, said).await;
                self.own_doing("a notice's letter", result)?;
            }
            Message::Held(hands, Ok(held)) => self.reconcile(&hands, held).await,
            Message::Held(hands, Err(reason)) => self.house.silent(hands.name(), &reason),
            Message::Looked(executor, said) => self.house.looked(&executor, said),
            Message::Executors(reply) => {
                let standings = self.house.standings();
                self.reply(reply, Ok(standings));
            }
            Message::Again(id) => self.house.ask_again(&id),
            Message::Collected(all) => all.into_iter().for_each(|collected| self.house.on_collected(collected)),
            Message::Received(run, index, result) => self.house.on_received(&run, index, result),
            Message::Gate(run, index, result) => self.house.on_gate(&run, index, result),
            Message::Packed(run, index, work, result) => {
                if let Some(given) = self.house.on_packed(&run, index, &work, result) {
                    let result = self.given(given).await;
                    self.own_doing("a delivery", result)?;
                }
            }
            Message::Carried(run, index, work, result) => {
                if let Some(given) = self.house.on_carried(&run, index, &work, result) {
                    let result = self.given(given).await;
                    self.own_doing("a delivery", result)?;
                }
            }
        }
        Ok(())
    }

    /// Nobody waits for an answer to what the engine does by itself: what cannot be done is logged, and looked at again later.
    pub(super) fn own_doing(&mut self, what: &str, result: Result<(), Refusal>) -> Result<(), Error> {
        match result {
            Ok(()) => self.desk.keep(),
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(error) => {
                self.desk.sweep();
                tracing::error!(%error, "{what} cannot go on");
            }
        }
        Ok(())
    }
}
