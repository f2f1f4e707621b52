//! The story told: step by step of a virtual time, everything that happens in a step at once, and never on before the engine has settled.
//! What the engine then did by itself is read from its log, and leads to what happens next.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use futures_util::future::join_all;
use kentai_engine::clock::Clock;
use kentai_engine::port::executor::Task;
use kentai_engine::scheduler::handle::Handle;
use kentai_executors::pretend::PretendExecutor;
use serde_json::Value;

use super::agenda::{Act, Agenda, Ended, step_end};
use super::fate::Fate;
use super::hear;
use super::plan::{DAY, HOUR, Line, Plan};
use super::values::{self, End};

/// Events that are read at once.
const EVENTS: i64 = 5_000;
/// The long workflow is ordered from so long ago on.
const SECOND_VERSION: i64 = 32 * DAY;

/// What the center calls an order line's things.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) specimen: String,
    pub(super) order: String,
    pub(super) run: String,
    pub(super) case: String,
    pub(super) again: bool,
}

/// What somebody learned by doing something.
pub(super) enum Learned {
    Nothing,
    /// Order lines and their specimens, in the order of a parcel.
    Orders(usize, Vec<(String, String)>),
    /// A withdrawal's case.
    Case(usize, String),
    /// A run was tried again.
    Again(usize),
}

/// A story being told.
pub(super) struct Replay {
    pub(super) handle: Handle,
    pub(super) hands: PretendExecutor,
    pub(super) clock: Clock,
    pub(super) seed: u64,
    pub(super) now: i64,
    /// Where run folders lie.
    pub(super) sequencers: PathBuf,
    pub(super) plan: Plan,
    pub(super) known: Vec<Known>,
    agenda: Agenda,
    /// Lines by order line, and by run.
    orders: BTreeMap<String, usize>,
    runs: BTreeMap<String, usize>,
    seen: i64,
}

impl Replay {
    pub(super) fn new(
        (handle, hands, clock): (Handle, PretendExecutor, Clock),
        (seed, now): (u64, i64),
        sequencers: PathBuf,
        plan: Plan,
    ) -> Self {
        let known = vec![Known::default(); plan.lines.len()];
        let mut agenda = Agenda::default();
        lay_down(&mut agenda, &plan, now);
        let (orders, runs) = (BTreeMap::new(), BTreeMap::new());
        Self { handle, hands, clock, seed, now, sequencers, plan, known, agenda, orders, runs, seen: 0 }
    }

    /// Tells it to its end; `said` hears how far it is, from 0 to 1.
    pub(super) async fn tell(&mut self, mut said: impl FnMut(f64)) -> Result<()> {
        let began = self.clock.now();
        while let Some(next) = self.agenda.next().filter(|next| *next <= self.now) {
            let end = step_end(next, self.now).max(self.clock.now());
            self.clock.advance(end - self.clock.now());
            let acts = self.agenda.until(end);
            for learned in join_all(acts.into_iter().map(|act| self.perform(act))).await {
                self.learn(learned?);
            }
            self.settle().await?;
            self.hear().await?;
            #[expect(clippy::cast_precision_loss, reason = "how far it is")]
            said((end - began) as f64 / (self.now - began).max(1) as f64);
        }
        self.clock.advance(self.now - self.clock.now());
        self.settle().await
    }

    fn learn(&mut self, learned: Learned) {
        match learned {
            Learned::Nothing => {}
            Learned::Orders(shipment, made) => {
                for (number, (order, specimen)) in self.plan.shipments[shipment].iter().zip(made) {
                    self.orders.insert(order.clone(), *number);
                    self.known[*number].order = order;
                    self.known[*number].specimen = specimen;
                }
            }
            Learned::Case(number, case) => {
                self.known[number].case = case;
                if self.plan.lines[number].fate == Fate::WithdrawnClosed {
                    self.agenda.put(self.clock.now() + 20 * HOUR, Act::DecideCase(number));
                    self.agenda.put(self.clock.now() + 3 * DAY, Act::CloseCase(number));
                } else {
                    self.agenda.put(self.clock.now() + HOUR, Act::DecideCase(number));
                }
            }
            Learned::Again(number) => self.known[number].again = true,
        }
    }

    /// Until nothing more happens by itself, and every tool that the engine started is in our hands.
    async fn settle(&self) -> Result<()> {
        let (mut pulse, mut hands) = (self.handle.pulse(), self.hands.changed());
        loop {
            self.handle.settled().await?;
            hands.mark_unchanged();
            if pulse.borrow_and_update().tools == self.hands.open() {
                return Ok(());
            }
            tokio::select! {
                felt = pulse.changed() => felt.context("the engine ended")?,
                felt = hands.changed() => felt?,
            }
        }
    }

    /// What the log says since the last time, and which tools were started.
    async fn hear(&mut self) -> Result<()> {
        loop {
            let events = self.handle.reader().log_after(self.seen, EVENTS).await?;
            let Some(last) = events.last() else { break };
            self.seen = last.seq;
            for event in &events {
                if let Some(order) = event.stream.strip_prefix("order_line:") {
                    let Some(number) = self.orders.get(order).copied() else { continue };
                    hear::order_line(self.seed, &self.plan, &mut self.known, number, event, &mut self.agenda);
                    if event.kind == "analysis_started" {
                        self.runs.insert(self.known[number].run.clone(), number);
                    }
                } else if event.stream.starts_with("delivery:") && event.kind == "offered" {
                    let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
                    let number = body["run"].as_str().and_then(|run| self.runs.get(run)).copied();
                    if let Some(number) = number {
                        hear::offered(self.seed, &self.plan, number, event, &mut self.agenda);
                    }
                }
            }
        }
        let mut begun: Vec<(usize, Task)> =
            self.hands.begun().into_iter().filter_map(|task| Some((*self.runs.get(&task.run)?, task))).collect();
        begun.sort_by(|(one, a), (other, b)| (one, &a.step).cmp(&(other, &b.step)));
        for (number, task) in begun {
            self.begin(number, task);
        }
        Ok(())
    }

    fn begin(&mut self, number: usize, task: Task) {
        let line: &Line = &self.plan.lines[number];
        let End { after, report, values, said } = values::end(self.seed, number, line, &task, self.known[number].again);
        let began = self.clock.now();
        let report = values::timed(report, began, began + after);
        self.agenda.put(began + after, Act::End(Box::new(Ended { task, report, values, said })));
    }
}

/// Everything that does not follow from something else.
fn lay_down(agenda: &mut Agenda, plan: &Plan, now: i64) {
    agenda.put(now - SECOND_VERSION, Act::SecondVersion);
    for (place, shipment) in plan.shipments.iter().enumerate() {
        let at = shipment.iter().map(|number| plan.lines[*number].announced).max().unwrap_or(now);
        agenda.put(at, Act::Announce(place));
        agenda.put(at + 6 * HOUR, Act::Consent(place));
        agenda.put(at + 15 * DAY, Act::CloseShipment(place));
    }
    for (number, line) in plan.lines.iter().enumerate() {
        let mut begin = |at: Option<i64>, act: Act| {
            if let Some(at) = at {
                agenda.put(at, act);
            }
        };
        begin(line.arrived, Act::Arrive(number));
        begin(line.accessioned, Act::Accession(number));
        begin(line.prepared, Act::Prepare(number));
        begin(line.loaded, Act::Load(number));
        let after = |at: Option<i64>, by: i64| at.unwrap_or(now) + by;
        match line.fate {
            Fate::Held => agenda.put(after(line.loaded, 8 * HOUR), Act::Hold(number)),
            Fate::Canceled | Fate::ReopenProposed => agenda.put(after(line.accessioned, DAY), Act::Cancel(number)),
            Fate::Withdrawn => agenda.put(now - 3 * HOUR, Act::Withdraw(number)),
            _ => {}
        }
        if line.fate == Fate::ReopenProposed {
            agenda.put(now - 5 * HOUR, Act::WantBack(number));
        }
    }
    for (place, flow) in plan.flows.iter().enumerate().filter(|(_, flow)| !flow.samples.is_empty()) {
        // In another step than the look that finds it unchanged.
        agenda.put(flow.at - 8 * HOUR, Act::Folder(place));
        agenda.put(flow.at, Act::Whole(place));
    }
    for one in 0..2 {
        let at = now - 20 * HOUR - i64::try_from(one).unwrap_or(0) * 9 * DAY;
        agenda.put(at, Act::Odd(one));
        agenda.put(at + 8 * HOUR, Act::OddAgain(one));
        agenda.put(now - 26 * HOUR - i64::try_from(one).unwrap_or(0) * 30 * DAY, Act::Extra(one));
    }
    for one in 0..3 {
        agenda.put(now - 4 * DAY - i64::try_from(one).unwrap_or(0) * 11 * DAY, Act::Deviation(one));
    }
}
