//! The collector: exited attempts in, durable artifacts or a reason out, a whole batch per sync.
//!
//! A tool may have left anything in its directory: everything is opened by descriptor beneath it, links are never
//! followed, and only what is a plain file with one name is taken. It does not know whether an attempt succeeded.
//!
//! A crash before the database's commit is repeated: files keep their place beside their new name, and before anything moves
//! (directories) a note in the store, out of the tool's reach, says what was found.

mod examine;
mod find;
mod format;
mod inspect;
mod log;
mod note;
mod remains;
mod tree;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use kentai_engine::port::collect::{Collect, Collected, Made, Order, Refused};
use kentai_engine::store::artifact::ArtifactStore;

use self::inspect::Item;

/// Each order holds a descriptor of its directory until its batch is durable.
const BATCH_MAX: usize = 128;

/// Takes in what exited attempts left.
#[derive(Clone, Debug)]
pub struct Collector {
    store: ArtifactStore,
}

/// One order on its way.
struct Taken {
    order: Order,
    log_bytes: u64,
    outcome: Result<Vec<Item>, Refused>,
}

impl Collector {
    /// A collector into this store. Notes of attempts whose directories are gone are forgotten.
    #[must_use]
    pub fn new(store: ArtifactStore) -> Self {
        note::sweep(&store);
        Self { store }
    }

    /// The collector as the scheduler calls it.
    #[must_use]
    pub fn into_collect(self) -> Collect {
        Arc::new(move |orders| self.collect(orders))
    }

    /// Collects a batch: one answer per order, in the order of the orders. May be repeated.
    #[must_use]
    pub fn collect(&self, orders: Vec<Order>) -> Vec<Collected> {
        let mut answers = Vec::with_capacity(orders.len());
        let mut left = orders.into_iter().peekable();
        while left.peek().is_some() {
            answers.extend(self.batch(left.by_ref().take(BATCH_MAX).collect()));
        }
        answers
    }

    fn batch(&self, orders: Vec<Order>) -> Vec<Collected> {
        let mut companions = Vec::new();
        let mut taken = self.inspect_all(orders);
        for one in &mut taken {
            self.keep_log(one, &mut companions);
            self.write_note(one, &mut companions);
        }
        self.adopt(&mut taken, &companions);
        taken.into_iter().map(finish).collect()
    }

    /// Hashing is the work; it is spread over the cores.
    fn inspect_all(&self, orders: Vec<Order>) -> Vec<Taken> {
        let results: Vec<OnceLock<Result<Vec<Item>, Refused>>> = orders.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(order) = orders.get(at) else { return };
                let _ = results[at].set(inspect::inspect(&self.store, order));
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 1..cores.min(orders.len()) {
                scope.spawn(work);
            }
            work();
        });
        let outcomes = results.into_iter().map(|result| result.into_inner().expect("each order was inspected"));
        orders.into_iter().zip(outcomes).map(|(order, outcome)| Taken { order, log_bytes: 0, outcome }).collect()
    }

    fn keep_log(&self, one: &mut Taken, companions: &mut Vec<PathBuf>) {
        match log::keep(&one.order) {
            Ok(0) => {}
            Ok(bytes) => {
                one.log_bytes = bytes;
                companions.push(one.order.log.clone());
                companions.extend(one.order.log.parent().map(ToOwned::to_owned));
            }
            Err(error) => {
                one.outcome = Err(Refused::Disk(format!("cannot keep the log of {}: {error}", one.order.attempt)));
            }
        }
    }

    fn write_note(&self, one: &mut Taken, companions: &mut Vec<PathBuf>) {
        let Ok(items) = &one.outcome else { return };
        // Only what leaves its place needs a note; files that get a second name are found where they were.
        let moves = |item: &Item| item.place.is_some() && (item.made.dir || !self.store.takes_by_link());
        if !items.iter().any(moves) {
            return;
        }
        match note::write(&self.store, &one.order, items) {
            Ok(note) => {
                companions.push(note);
                companions.push(self.store.notes());
            }
            Err(error) => one.outcome = Err(Refused::Disk(format!("cannot write the collector's note: {error}"))),
        }
    }

    fn adopt(&self, taken: &mut [Taken], companions: &[PathBuf]) {
        let (mut batch, mut owners) = (Vec::new(), Vec::new());
        for (owner, one) in taken.iter().enumerate() {
            for item in one.outcome.iter().flatten() {
                if let Some(incoming) = item.incoming() {
                    batch.push(incoming);
                    owners.push(owner);
                }
            }
        }
        if batch.is_empty() && companions.is_empty() {
            return;
        }
        match self.store.adopt(&batch, companions) {
            Ok(answers) => {
                for (owner, answer) in owners.into_iter().zip(answers) {
                    if let Err(error) = answer {
                        taken[owner].outcome = Err(Refused::Disk(error.to_string()));
                    }
                }
            }
            // Nothing of this batch is certain to be durable.
            Err(error) => {
                for one in taken.iter_mut().filter(|one| one.outcome.is_ok()) {
                    one.outcome = Err(Refused::Disk(error.to_string()));
                }
            }
        }
    }
}

/// Answers, and clears away what a collected attempt no longer needs. What a failed one left stays for people, and small remains
/// stay for retention: removing each at once costs more than it frees.
fn finish(one: Taken) -> Collected {
    let outcome = one.outcome.map(|items| items.into_iter().map(|item| item.made).collect::<Vec<Made>>());
    if outcome.is_ok() && one.order.outputs.is_some() {
        remains::clear(&one.order.directory);
    }
    Collected { attempt: one.order.attempt, outcome, log_bytes: one.log_bytes }
}
