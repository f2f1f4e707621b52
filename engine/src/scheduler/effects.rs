//! Acting, after the commit: what the house decided happens outside. Every effect may be carried out again.

use std::sync::Arc;
use std::time::Duration;

use super::handle::Message;
use super::house::Effect;
use super::service::Service;
use super::underway::Mark;
use super::work::pack;
use crate::id::AttemptId;
use crate::port::executor::{Report, Stop};

/// Between two looks at what a withdrawn participant still has running.
const SEAL_AGAIN: Duration = Duration::from_millis(200);
/// An executor that is silent for longer is still away.
const LOOK_MOST: Duration = Duration::from_secs(10);

impl Service {
    pub(super) fn act(&mut self, effect: Effect) {
        let drain = self.house.options.drain;
        match effect {
            Effect::Reply(answer) => answer(),
            Effect::Link(work) => drop(self.linker.send((work, self.underway.mark()))),
            Effect::Seal(work) => self.seal(*work),
            Effect::Destroy(item, sha256) => self.destroy(item, sha256),
            Effect::Retire(work) => self.retire_copies(*work),
            Effect::Post(work) => self.post_file(work),
            // Without an engine nothing is started, ended or taken in: the next engine does it.
            _ if drain => {}
            Effect::Run(id) => self.run_attempt(&id),
            Effect::Look(executor, after_ms) => self.ask_executor(executor, after_ms),
            Effect::Again(id, after_ms) => self.spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                Some(Message::Again(id))
            }),
            Effect::Stop(id, how) => self.stop_attempt(&id, how),
            Effect::End(id, after_ms) => self.end_attempt(&id, after_ms),
            Effect::Collect(order, 0) => drop(self.collector.send((order, self.underway.mark()))),
            Effect::Collect(order, after_ms) => {
                let (collector, mark) = (self.collector.clone(), self.underway.mark());
                self.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    let _ = collector.send((order, mark));
                    None
                });
            }
            Effect::Forget(id, hands) => {
                // Not cut off by a stop: a stopping engine waits for its last containers to be removed.
                self.tracker.spawn(async move {
                    // What cannot be removed now is found by the next reconcile.
                    let _ = hands.forget(id.as_str()).await;
                });
            }
            Effect::Gate(run, index, work) => self.spawn_work(move || Message::Gate(run, index, work.done())),
            Effect::Receive(run, index, work) => self.spawn_work(move || Message::Received(run, index, work.done())),
            Effect::Measure(order, run, work) => self.spawn_work(move || Message::Measured(order, run, work.done())),
            Effect::Prepare(order, round, submit) => {
                let (options, reader) = (Arc::clone(&self.house.options), self.reader.clone());
                self.spawn(async move {
                    let ready = Self::prepare_run(*submit, options, reader).await;
                    Some(Message::Prepared(order, round, Box::new(ready)))
                });
            }
            Effect::SealAgain(case) => self.spawn(async move {
                tokio::time::sleep(SEAL_AGAIN).await;
                Some(Message::SealAgain(case))
            }),
            Effect::Pack(run, index, work) => {
                let (works, tools) = (Arc::clone(&self.works), self.tools());
                self.spawn(async move {
                    let _turn = works.acquire_owned().await.ok()?;
                    let result = work.done(tools).await;
                    Some(Message::Packed(run, index, work, result))
                });
            }
            Effect::Letter(work) => self.spawn(async move {
                let (notice, place) = (work.letter.notice.clone(), work.place);
                Some(Message::Letter(notice, place, work.done().await))
            }),
            Effect::Carry(run, index, work) => {
                let carriers = Arc::clone(self.carriers.get(&work.target).unwrap_or(&self.works));
                self.spawn(async move {
                    let _turn = carriers.acquire_owned().await.ok()?;
                    let result = work.done().await;
                    Some(Message::Carried(run, index, work, result))
                });
            }
        }
    }

    fn tools(&self) -> pack::Tools {
        pack::Tools {
            reader: self.reader.clone(),
            artifacts: self.house.artifacts.clone(),
            site: self.house.options.directory.clone(),
            signer: self.signer.clone(),
        }
    }

    /// Not cut off by a stop; what could not be written is written at the next start.
    fn post_file(&self, work: super::work::post::Work) {
        let (sender, mark) = (self.sender.clone(), self.underway.mark());
        self.tracker.spawn_blocking(move || {
            let _mark = mark;
            match work.done() {
                // A loop that has ended, or has no room, does not hear it: the next engine writes it again.
                Ok(()) => drop(sender.try_send(Message::Posted(work.notice))),
                Err(error) => {
                    tracing::error!(notice = work.notice, %error, "a message could not be put into the outbox");
                }
            }
        });
    }

    /// After the commit that says who decided it. Cut off in between, the next engine does it again: gone is gone.
    fn destroy(&self, item: String, sha256: String) {
        let (sender, artifacts) = (self.sender.clone(), self.house.artifacts.clone());
        let mark = self.underway.mark();
        self.tracker.spawn(async move {
            let _mark = mark;
            let gone = tokio::task::spawn_blocking(move || artifacts.destroy_sealed(&sha256)).await;
            let gone = gone.unwrap_or_else(|panic| Err(std::io::Error::other(panic.to_string())));
            let _ = sender.try_send(Message::Destroyed(item, gone.map_err(|error| error.to_string())));
        });
    }

    /// As [`Self::destroy`].
    fn retire_copies(&self, work: super::work::retire::Work) {
        let sender = self.sender.clone();
        self.tracker.spawn(async move {
            let id = work.retirement.clone();
            // A panic is told by nobody: the next engine does it again.
            if let Ok(done) = tokio::task::spawn_blocking(move || work.done()).await {
                let _ = sender.try_send(Message::Retired(id, done));
            }
        });
    }

    /// Not cut off by a stop: what is to be closed is closed.
    fn seal(&self, work: super::work::seal::Work) {
        let (sender, mark) = (self.sender.clone(), self.underway.mark());
        self.tracker.spawn(async move {
            let _mark = mark;
            let case = work.case.clone();
            if let Ok(sealed) = tokio::task::spawn_blocking(move || work.done()).await {
                // A loop that has ended does not hear it: the next engine looks again.
                let _ = sender.try_send(Message::Sealed(case, sealed));
            }
        });
    }

    fn run_attempt(&self, id: &AttemptId) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (id, task, hands) = (id.clone(), Arc::clone(&live.task), Arc::clone(&live.hands));
        // Not counted as under way: tools have a count of their own, and may run for days.
        self.spawn_quietly(async move {
            // In a task of its own: an executor that panics is asked again, as one out of reach is.
            let run = tokio::spawn(async move { hands.run(&task).await });
            let run = tokio_util::task::AbortOnDropHandle::new(run);
            let report = run.await.unwrap_or_else(|panic| {
                tracing::error!(attempt = %id, %panic, "an executor broke off; it is asked again");
                Report::Unreachable("it broke off".into())
            });
            Some(Message::Report(id, report))
        });
    }

    /// Asks an executor that is away whether it is back.
    fn ask_executor(&self, executor: String, after_ms: u64) {
        let Some(at) = self.house.options.post(&executor) else { return };
        let hands = Arc::clone(&self.house.options.executors[at].executor);
        self.spawn_quietly(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            // In a task of its own: one that panics does not answer, and is asked again.
            let asked =
                tokio::spawn(
                    async move { tokio::time::timeout(LOOK_MOST, hands.ping()).await.map(|said| said.map(drop)) },
                );
            let said = match asked.await {
                Ok(Ok(Ok(()))) => Ok(()),
                Ok(Ok(Err(error))) => Err(error.to_string()),
                Ok(Err(_)) => Err("it is silent".to_owned()),
                Err(panic) => Err(panic.to_string()),
            };
            Some(Message::Looked(executor, said))
        });
    }

    fn stop_attempt(&self, id: &AttemptId, how: Stop) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (task, hands) = (Arc::clone(&live.task), Arc::clone(&live.hands));
        let mark = self.underway.mark();
        self.spawn_quietly(async move {
            if let Err(error) = hands.stop(&task, how).await {
                tracing::warn!(attempt = task.attempt, %error, "cannot be ended now");
            }
            drop(mark);
            // The witness kills after the grace; this is for a witness that cannot.
            tokio::time::sleep(Duration::from_secs(task.grace_s + 20)).await;
            let _ = hands.stop(&task, Stop::Kill).await;
            None
        });
    }

    /// For a canceled attempt whose executor was out of reach: ended and gone, or asked again later. Never started.
    fn end_attempt(&self, id: &AttemptId, after_ms: u64) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (id, task, hands) = (id.clone(), Arc::clone(&live.task), Arc::clone(&live.hands));
        self.spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let report = match hands.stop(&task, Stop::Kill).await {
                Err(error) => Report::Unreachable(error.to_string()),
                Ok(()) => match hands.held().await {
                    Ok(held) if held.iter().any(|held| held.attempt == task.attempt && held.running) => {
                        Report::Unreachable("it is being ended".into())
                    }
                    Ok(_) => Report::Lost("ended by request".into()),
                    Err(error) => Report::Unreachable(error.to_string()),
                },
            };
            Some(Message::Report(id, report))
        });
    }

    fn spawn_work(&self, work: impl FnOnce() -> Message + Send + 'static) {
        let works = Arc::clone(&self.works);
        self.spawn(async move {
            let _turn = works.acquire_owned().await.ok()?;
            tokio::task::spawn_blocking(work).await.ok()
        });
    }

    /// Runs beside the loop until it answers or the engine stops; what is dropped then is found again by recovery.
    pub(super) fn spawn(&self, task: impl Future<Output = Option<Message>> + Send + 'static) {
        self.spawn_counted(task, Some(self.underway.mark()));
    }

    /// The same, and nobody who waits for the house to settle waits for it.
    fn spawn_quietly(&self, task: impl Future<Output = Option<Message>> + Send + 'static) {
        self.spawn_counted(task, None);
    }

    fn spawn_counted(&self, task: impl Future<Output = Option<Message>> + Send + 'static, mark: Option<Mark>) {
        let (sender, token) = (self.sender.clone(), self.token.clone());
        self.tracker.spawn(async move {
            let _mark = mark;
            tokio::select! {
                message = task => {
                    if let Some(message) = message {
                        // Boxed: whoever runs for days need not have room for it until then.
                        let _ = Box::pin(sender.send(message)).await;
                    }
                }
                () = token.cancelled() => {}
            }
        });
    }
}
