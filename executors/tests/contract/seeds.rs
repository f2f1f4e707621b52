//! A Slurm that lies, from a seed: whatever it says, nothing is run twice, and what is called well was run.
//!
//! `KENTAI_TEST_SLURM_SEEDS` says how many seeds (1,000 without it); `KENTAI_TEST_SEED` is the first.

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::port::executor::{Executor, Report, Task};
use kentai_executors::slurm::{Options, Pace, SlurmExecutor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::house::{House, fresh};
use crate::support::lying::{Lies, Lying, granted, millis, pace};
use crate::support::slurm::options;

const ATTEMPTS: usize = 4;
/// Between two looks at ten thousand jobs.
const BETWEEN: Duration = Duration::from_millis(200);

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What an engine does with an attempt, its own deaths included: asks until it is decided.
async fn to_the_end(house: &House, story: &Lying, task: &Task, mut random: StdRng) -> Report {
    loop {
        let options = told(house);
        // A new engine knows nothing but what lies on disk.
        let hands = SlurmExecutor::new(options, Arc::new(story.clone())).expect("an executor");
        let life = millis(random.random_range(1..120_000));
        let end = tokio::time::Instant::now() + life;
        while let Ok(report) = tokio::time::timeout_at(end, hands.run(task)).await {
            match report {
                Report::Waits(_) | Report::Unreachable(_) => {}
                decided => return decided,
            }
        }
    }
}

fn told(house: &House) -> Options {
    let options = options(&house.site, house.directory.path());
    // Each engine of a story puts a copy of its program where nodes see it: a small one, since nobody runs it here.
    let binary = house.path("program");
    if !binary.exists() {
        std::fs::write(&binary, "nobody runs it").expect("written");
    }
    Options { binary, pace: pace(), visibility: millis(2000), ..options }
}

async fn story(seed: u64) {
    let house = House::process();
    let story = Lying::new(seed, Lies::MANY);
    let tasks: Vec<Task> = (0..ATTEMPTS).map(|_| house.shell("true")).collect();
    let running = tasks.iter().enumerate().map(|(at, task)| {
        to_the_end(&house, &story, task, StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(at as u64)))
    });
    let reports = futures_util::future::join_all(running).await;
    let before = story.starts();
    // Jobs that nobody waits for any more come to their end as well.
    story.run_out();
    let after = story.starts();
    for (task, report) in tasks.iter().zip(&reports) {
        let name = format!("kentai-{}-{}", house.site, task.attempt);
        let (then, now) = (before.get(&name).copied().unwrap_or(0), after.get(&name).copied().unwrap_or(0));
        assert!(now <= 1, "seed {seed}: {name} was started {now} times; {report:?}");
        match report {
            Report::Exited(evidence) => {
                assert_eq!(then, 1, "seed {seed}: {report:?}");
                let well = evidence.record.as_ref().is_some_and(|record| record.exit_code == Some(0));
                assert!(well || evidence.executor_cause.is_some(), "seed {seed}: {report:?}");
                assert!(evidence.record.as_ref().is_none_or(|record| record.nonce == task.nonce), "seed {seed}");
                // It may be forgotten; it is never another number.
                assert!(evidence.granted.is_none_or(|had| had.cpus == granted(task.cpus)), "seed {seed}: {report:?}");
            }
            Report::Lost(_) => assert_eq!(then, 1, "seed {seed}: {report:?}"),
            Report::NotStarted(..) => assert_eq!(now, 0, "seed {seed}: {report:?}"),
            other => panic!("seed {seed}: {other:?}"),
        }
    }
}

#[test]
fn nothing_is_doubled_and_nothing_lost_whatever_slurm_says() {
    let (first, count) = (number("KENTAI_TEST_SEED", 1), number("KENTAI_TEST_SLURM_SEEDS", 1000));
    eprintln!("seeds {first} to {}", first + count - 1);
    for seed in first..first + count {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(story(seed));
    }
}

#[test]
fn ten_thousand_jobs_are_looked_at_once_a_second_and_never_named_in_a_call() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut house = House::process();
        house.site = fresh("site");
        // Looks fail often: those that come after a failure must not come sooner.
        let lies = Lies { look_fails: 50, taken_but_timed_out: 5, ..NONE };
        let story = Lying::new(7, lies);
        // Ten thousand wait for each look: a story's second of a millisecond would be nothing but waking. What is longest stays what the
        // story has, which is less than between two looks.
        let pace = Pace { between: BETWEEN, settled: 4 * BETWEEN, ..pace() };
        let options = Options { pace, ..told(&house) };
        let hands = SlurmExecutor::new(options, Arc::new(story.clone())).expect("an executor");
        let tasks: Vec<Task> = (0..10_000).map(|_| house.shell("true")).collect();
        let running = tasks.iter().map(|task| async {
            loop {
                match hands.run(task).await {
                    Report::Waits(_) | Report::Unreachable(_) => {}
                    decided => return decided,
                }
            }
        });
        let reports = futures_util::future::join_all(running).await;
        assert!(reports.iter().all(|report| matches!(report, Report::Exited(_))), "all of them ended");
        let had = |report: &Report| matches!(report, Report::Exited(evidence) if evidence.granted.is_some());
        assert!(reports.iter().all(had), "Slurm said of each what it had");
        assert!(story.starts().values().all(|starts| *starts == 1) && story.starts().len() == 10_000);
        // Both ends of the time between are taken by a machine that is busy with ten thousand others.
        let closest = story.closest_looks();
        assert!(closest.is_none_or(|closest| closest >= BETWEEN * 3 / 4), "{closest:?}");
        assert!(story.longest_call() < 4096, "{} bytes of arguments", story.longest_call());
    });
}

const NONE: Lies = Lies {
    refused_connection: 0,
    taken_but_timed_out: 0,
    lost_and_timed_out: 0,
    look_fails: 0,
    look_omits: 0,
    amnesia: 0,
    node_fails: 0,
    canceled: 0,
    preempted: 0,
    held: 0,
};
