//! What is taken when it is asked for: the line, the queue, deliveries, letters, the log, executors and disks. A registry for one answer,
//! so that nothing is said any more that is not so any more.

use kentai_engine::decide::admit::Lack;
use kentai_engine::scheduler::post::Standing;
use kentai_engine::scheduler::queue::{Waiting, Waits};
use kentai_engine::state::{attempt, delivery, run};
use kentai_engine::view::center::needs::Kind;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, Machine, PREFIX};
use crate::App;
use crate::page::keep::{Counted, Today};

/// A registry, and what is put into it.
struct Said(Registry);

impl Said {
    fn one(&mut self, name: &str, help: &str, value: i64) {
        self.many(name, help, [(Labels::new(), value)]);
    }

    fn many(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, i64)>) {
        self.0.register(name, help, gauges(values));
    }

    fn with_unit(&mut self, name: &str, help: &str, unit: Unit, values: impl IntoIterator<Item = (Labels, i64)>) {
        self.0.register_with_unit(name, help, unit, gauges(values));
    }

    fn counters(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, u64)>) {
        let family = Family::<Labels, Counter>::default();
        values.into_iter().for_each(|(labels, value)| _ = family.get_or_create(&labels).inc_by(value));
        self.0.register(name, help, family);
    }
}

fn gauges(values: impl IntoIterator<Item = (Labels, i64)>) -> Family<Labels, Gauge> {
    let family = Family::<Labels, Gauge>::default();
    // The same labels twice are one value.
    values.into_iter().for_each(|(labels, value)| _ = family.get_or_create(&labels).inc_by(value));
    family
}

fn by(name: &'static str, word: &str) -> Labels {
    vec![(name, word.to_owned())]
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Everything that is not counted as it happens.
pub(super) fn registry(app: &App, counted: &Counted<Today>, machine: &Machine, standings: &[Standing]) -> Registry {
    let mut said = Said(Registry::with_prefix(PREFIX));
    let now_us = app.engine.options().clock.now();
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    said.many("build_info", "The version that runs, always 1", [(version, 1)]);
    let started = app.meter.started_us() / 1_000_000;
    let help = "When this process began to serve, since 1970";
    said.with_unit("start_time", help, Unit::Seconds, [(Labels::new(), started)]);
    engine(app, &mut said);
    line(counted, now_us, &mut said);
    queue(&counted.value.queue, now_us, &mut said);
    let targets: Vec<&str> = app.engine.options().targets.keys().map(String::as_str).collect();
    receivers(counted, (&targets, now_us), &mut said);
    hands_and_disks(machine, &mut said);
    executors(standings, &mut said);
    if let Some(traces) = &app.traces {
        let counts = (traces.counts)();
        let counts = counts.iter().map(|(outcome, count)| (by("outcome", outcome), *count));
        said.counters("trace_spans", "Spans of traces, by what became of them; only sent ones arrived", counts);
    }
    said.0
}

fn engine(app: &App, said: &mut Said) {
    let (pulse, counts) = (*app.engine.pulse().borrow(), app.engine.tally());
    said.counters("commits", "Transactions since the engine's start", [(Labels::new(), pulse.commits)]);
    said.one("runs_active", "Runs that can do something by themselves, queued ones included", number(pulse.active));
    said.one("tools_running", "Tools that run", number(pulse.tools));
    said.one("tool_slots", "Tools that may run at once", number(app.engine.options().slots));
    said.one(
        "letters_waiting",
        "Notices with letters that wait, and letters that are on their way",
        number(pulse.letters),
    );
    let events = counts.events.iter().map(|(kind, count)| (by("kind", kind), *count));
    said.counters("events", "Events that were committed since the engine's start, by kind", events);
    let causes = |found: &std::collections::BTreeMap<String, u64>| {
        let count = |cause: &attempt::Cause| found.get(cause.word()).copied().unwrap_or(0);
        let all = attempt::Cause::ALL.iter().map(|cause| (by("cause", cause.word()), count(cause)));
        all.collect::<Vec<_>>()
    };
    let help = "Attempts that failed since the engine's start, by cause";
    said.counters("attempt_failures", help, causes(&counts.failures));
    let help = "Steps that failed for good since the engine's start, by the cause of their last attempt";
    said.counters("step_failures", help, causes(&counts.failed_steps));
}

fn line(counted: &Counted<Today>, now_us: i64, said: &mut Said) {
    let (board, needs) = (&counted.value.board, &counted.value.needs);
    let age_s = (now_us - counted.at_us).max(0) / 1_000_000;
    let help = "How old the counts of this answer are that go over everything";
    said.with_unit("board_age", help, Unit::Seconds, [(Labels::new(), age_s)]);
    let runs = run::Status::ALL.iter().map(|status| (by("status", status.word()), 0));
    let found = board.runs.iter().map(|(status, count)| (by("status", status), *count));
    said.many("runs", "Runs, by status", runs.chain(found));
    let stages = board.stages.iter().map(|one| (by("stage", one.stage.word()), one.count));
    said.many("order_lines", "Order lines, by stage", stages);
    let stuck = board.stages.iter().map(|one| (by("stage", one.stage.word()), one.stuck));
    said.many("order_lines_stuck", "Order lines whose expectation has lapsed, by stage", stuck);
    said.one("order_lines_late", "Order lines that are past their time", board.late);
    said.one("order_lines_due_soon", "Order lines that are due within three days", board.soon);
    let kinds = Kind::ALL.iter().map(|kind| (by("kind", kind.word()), 0));
    let found = needs.items.iter().map(|need| (by("kind", need.kind.word()), 1));
    said.many("needs", "Things that need a person, by what is wanted", kinds.chain(found));
    let omitted = board.omissions.iter().map(|(kind, count)| (by("kind", kind), *count));
    said.many("omissions", "What nobody expected, brought or answered, by kind; 10000 means that or more", omitted);
    let labels = |kind: &str, status: &str| vec![("kind", kind.to_owned()), ("status", status.to_owned())];
    let records = board.records.iter().filter(|(kind, ..)| kind != "notice");
    let records = records.map(|(kind, status, count)| (labels(kind, status), *count));
    said.many("records", "Instrument runs, shipments, cases and schedules, by status", records);
    let notices = board.records.iter().filter(|(kind, ..)| kind == "notice");
    let dead = (by("status", "undelivered"), 0);
    let notices = notices.map(|(_, status, count)| (by("status", status), *count)).chain([dead]);
    said.many("notices", "Messages to others, by status; undelivered: a letter was given up", notices);
    said.one("log_events", "Events of the audit log", board.chain.0);
    said.one("log_signed_events", "Events of the audit log of which a signed checkpoint speaks", board.chain.1);
}

/// The word for what something waits for.
fn word(waits: &Waits) -> &'static str {
    match waits {
        Waits::Resource(Lack::Slots { .. }) => "slot",
        Waits::Resource(Lack::Cpus { .. }) => "cpus",
        Waits::Resource(Lack::Memory { .. }) => "memory",
        Waits::Resource(Lack::Disk { .. }) => "disk",
        Waits::Executor { .. } => "executor",
        Waits::Drained { .. } => "drained",
        Waits::Away { .. } => "away",
        Waits::Time { .. } => "time",
        Waits::Held { .. } => "held",
        Waits::Stopped { .. } => "stopped",
        Waits::Engine => "engine",
        Waits::Consent => "consent",
        Waits::Limit { .. } => "limit",
        Waits::Turn => "turn",
        Waits::Broken { .. } => "broken",
    }
}

const WORDS: [&str; 15] = [
    "slot", "cpus", "memory", "disk", "executor", "drained", "away", "time", "held", "stopped", "engine", "consent",
    "limit", "turn", "broken",
];

fn queue(queue: &[Waiting], now_us: i64, said: &mut Said) {
    let none = WORDS.iter().map(|word| (by("waits_for", word), 0));
    let waiting = queue.iter().map(|one| (by("waits_for", word(&one.waits)), number(one.count)));
    said.many(
        "queue_length",
        "Steps that are ready and runs that have not begun, by what they wait for",
        none.chain(waiting),
    );
    let oldest = queue.iter().map(|one| (now_us - one.since_us).max(0) / 1_000_000).max().unwrap_or(0);
    let help = "For how long the oldest of the queue has waited";
    said.with_unit("queue_oldest_wait", help, Unit::Seconds, [(Labels::new(), oldest)]);
}

/// Receivers of the site file are told of before anything was for them.
fn receivers(counted: &Counted<Today>, (targets, now_us): (&[&str], i64), said: &mut Said) {
    let receivers = &counted.value.board.receivers;
    let all = delivery::Status::ALL;
    let none = targets.iter().flat_map(|target| {
        let labels =
            |status: &delivery::Status| vec![("target", (*target).to_owned()), ("status", status.word().to_owned())];
        all.iter().map(move |status| (labels(status), 0))
    });
    let deliveries = receivers.iter().flat_map(|one| {
        let labels = |status: &String| vec![("target", one.target.clone()), ("status", status.clone())];
        one.counts.iter().map(move |(status, count)| (labels(status), *count))
    });
    said.many("deliveries", "Deliveries, by receiver and status", none.chain(deliveries));
    let none = targets.iter().map(|target| (by("target", target), 0));
    let waits = receivers.iter().filter_map(|one| {
        let waited_s = (now_us - one.oldest_us?).max(0) / 1_000_000;
        Some((by("target", &one.target), waited_s))
    });
    let help = "For how long the oldest delivery of a receiver has waited for its receipt";
    said.with_unit("receipt_oldest_wait", help, Unit::Seconds, none.chain(waits));
}

fn hands_and_disks(machine: &Machine, said: &mut Said) {
    let reachable = machine.hands.iter().map(|hands| {
        let labels = vec![("executor", hands.name.clone()), ("kind", hands.kind.to_owned())];
        (labels, i64::from(hands.reachable))
    });
    said.many("executor_reachable", "Whether an executor answers", reachable);
    let holds = |parts: &[&'static str]| by("holds", &parts.join(","));
    let free = machine.disks.iter().map(|disk| (holds(&disk.parts), bytes(disk.free)));
    said.with_unit("disk_free", "Free space, by what of the site lies there", Unit::Bytes, free);
    let all = machine.disks.iter().map(|disk| (holds(&disk.parts), bytes(disk.all)));
    said.with_unit("disk_size", "Size of the file system, by what of the site lies there", Unit::Bytes, all);
    let files = machine.disks.iter().map(|disk| (holds(&disk.parts), bytes(disk.inodes_free)));
    said.many("disk_free_files", "Files that still fit, by what of the site lies there", files);
}

fn executors(standings: &[Standing], said: &mut Said) {
    let labels = |one: &Standing| vec![("executor", one.name.clone()), ("kind", one.kind.clone())];
    let running = standings.iter().map(|one| (labels(one), number(one.running)));
    said.many("executor_running", "Tools that an executor runs", running);
    let waiting = standings.iter().map(|one| (labels(one), number(one.waiting)));
    said.many("executor_waiting", "Steps that wait for an executor before any other", waiting);
    let drained = standings.iter().map(|one| (labels(one), i64::from(one.drained_by.is_some())));
    said.many("executor_drained", "Whether a person drained an executor", drained);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_the_queue_is_told_also_when_nothing_waits() {
        let lack = Lack::Memory { wish: 1, used: 1, total: 1 };
        let one = |waits, since_us| Waiting {
            step: "align".into(),
            count: 2,
            waits,
            ahead: 0,
            run: "r1".into(),
            since_us,
            starts_us: None,
        };
        let held = Waits::Held { by: "ops-02".into() };
        let mut said = Said(Registry::default());
        queue(
            &[one(Waits::Resource(lack), 3_000_000), one(held, 5_000_000), one(Waits::Turn, 9_000_000)],
            10_000_000,
            &mut said,
        );
        let mut text = String::new();
        prometheus_client::encoding::prometheus_text::encode(&mut text, &said.0).expect("written");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("queue_length{")).collect();
        assert_eq!(lines.len(), WORDS.len(), "{text}");
        for line in [
            "queue_length{waits_for=\"memory\"} 2",
            "queue_length{waits_for=\"slot\"} 0",
            "queue_oldest_wait_seconds 7",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in:\n{text}");
        }
        assert!(!text.contains("ops-02") && !text.contains("align"), "{text}");
    }
}
