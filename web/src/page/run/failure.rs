//! The first thing on the page of a run in which something failed: what, by which evidence, what the tool said last, and what can be
//! done, each with what follows from it.

use kentai_engine::people::permission::Action;
use kentai_engine::state::attempt::Cause;
use kentai_engine::view::log::read_tail;
use kentai_engine::view::run_sheet::{self, Bar, Task, TaskState};

use super::text::{last_lines, plain};
use super::words::Words;
use super::{Seen, roles, url};
use crate::App;
use crate::error::Problem;
use crate::page::say::Say;
use crate::page::shell::Place;
use crate::page::visit::Visit;

/// Bytes of a log's end in which the last lines are looked for.
const TAIL_BYTES: u64 = 4 << 10;
/// Lines of it that are shown.
const TAIL_LINES: usize = 5;
/// Attempts shown: more of them say the same.
const ATTEMPTS: usize = 12;
/// The same cause is looked for in so many days.
const KIN_DAYS: i64 = 7;
const DAY_US: i64 = 86_400_000_000;

/// The panel.
pub(super) struct Failure {
    pub(super) heading: String,
    pub(super) meaning: String,
    pub(super) reason: String,
    /// Other tasks that failed, and where they are.
    pub(super) others: Option<(String, String)>,
    pub(super) attempts: Vec<Row>,
    pub(super) tail: String,
    pub(super) tail_note: String,
    pub(super) decide_note: String,
    pub(super) choices: Vec<Choice>,
    pub(super) who_may: Option<String>,
    pub(super) kin: Option<Kin>,
    pub(super) meanwhile: String,
    pub(super) events: i64,
}

/// One attempt of the failed task.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) asked: String,
    pub(super) peak: String,
    pub(super) ran: String,
    pub(super) ended: String,
    pub(super) exit: String,
    pub(super) cause: String,
    pub(super) evidence: String,
    pub(super) executor: String,
    pub(super) log: String,
}

/// Something that can be done: a button, or a link to a page that asks why.
pub(super) struct Choice {
    pub(super) id: &'static str,
    pub(super) label: String,
    /// Posts at once; else it leads to a page.
    pub(super) post: bool,
    pub(super) href: String,
    pub(super) primary: bool,
    pub(super) effect: String,
}

/// Other runs with the same failure.
pub(super) struct Kin {
    pub(super) said: String,
    pub(super) runs: Vec<String>,
}

/// None when nothing failed.
pub(super) async fn failure(
    app: &App,
    visit: &Visit,
    seen: &Seen,
    words: &'static Words,
) -> Result<Option<Failure>, Problem> {
    let sheet = &seen.sheet;
    let failed = sheet.counts.of(TaskState::Failed);
    if failed == 0 {
        return Ok(None);
    }
    let (reader, id) = (app.engine.reader(), &sheet.run.id);
    let first = run_sheet::tasks(reader, id, (Some(TaskState::Failed), None), None, 1).await?.pop();
    let Some(task) = first else { return Ok(None) };
    let shell = visit.shell(Place::Runs);
    let say = &shell.say;
    let rows = reader.step_attempts(id.as_str(), task.step.key.as_str()).await?;
    let bars: Vec<Bar> = rows.iter().map(Bar::of).collect();
    let of_round: Vec<&Bar> = bars.iter().filter(|bar| bar.attempt.round == i64::from(task.step.round)).collect();
    let (tail, tail_note) = tail(app, rows.last(), (say, words)).await;
    let last = bars.last();
    let may = visit.may(if sheet.run.status.is_end() { Action::Retry } else { Action::RunControl })
        || visit.may(Action::Retry);
    let cause = task.step.cause.map(Cause::word).unwrap_or_default();
    let asked = last.and_then(|bar| bar.attempt.memory_bytes).filter(|bytes| *bytes > 0).map(|bytes| say.memory(bytes));
    Ok(Some(Failure {
        heading: heading(&task, (seen, of_round.len()), words),
        meaning: words.meaning(cause, asked.as_deref()),
        reason: say.engine(task.step.reason.as_deref().unwrap_or_default()),
        others: (failed > 1).then(|| {
            let others = say.count(failed - 1);
            let said = words.pick(format!("{others} more failed"), format!("ほかに{others}件が失敗"));
            (said, format!("/runs/{id}?tasks=failed#tasks"))
        }),
        attempts: bars.iter().rev().take(ATTEMPTS).rev().map(|bar| row(seen, bar, (say, words))).collect(),
        tail,
        tail_note,
        decide_note: words.open_for(&roles(visit, Action::Retry), &say.age(&task.step.updated)),
        choices: if may { choices(seen, &task, words) } else { Vec::new() },
        who_may: (!may).then(|| words.who_may(&roles(visit, Action::Retry))),
        kin: kin(app, visit, seen, &task, words).await?,
        meanwhile: meanwhile(seen, words),
        events: sheet.events,
    }))
}

fn heading(task: &Task, (seen, tried): (&Seen, usize), words: &'static Words) -> String {
    let key = &task.step.key;
    let cause = task.step.cause.map(|cause| words.cause_of(cause.word()));
    let limit =
        seen.workflow.as_ref().and_then(|workflow| workflow.step(&task.step.step)).map(|step| step.retry.attempts);
    let failed = match cause {
        Some(cause) => words.pick(format!("{key} failed: {cause}"), format!("{key} が失敗：{cause}")),
        None => words.pick(format!("{key} failed"), format!("{key} が失敗")),
    };
    match (tried, limit) {
        (0, _) => failed,
        (tried, Some(limit)) => words
            .pick(format!("{failed}, {tried} of {limit} attempts"), format!("{failed}（{limit}回中{tried}回試行）")),
        (tried, None) => words.pick(format!("{failed}, {tried} attempts"), format!("{failed}（{tried}回試行）")),
    }
}

fn row(seen: &Seen, bar: &Bar, (say, words): (&Say, &'static Words)) -> Row {
    let attempt = &bar.attempt;
    let exit = match (attempt.exit_code, attempt.signal) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => words.pick(format!("signal {signal}"), format!("シグナル{signal}")),
        (None, None) => String::new(),
    };
    let number = match attempt.round {
        0 => attempt.number.to_string(),
        round => words.pick(
            format!("{} (round {})", attempt.number, round + 1),
            format!("{}（{}巡目）", attempt.number, round + 1),
        ),
    };
    Row {
        number,
        asked: attempt.memory_bytes.filter(|bytes| *bytes > 0).map(|bytes| say.memory(bytes)).unwrap_or_default(),
        peak: attempt.max_rss_bytes.map(|bytes| say.memory(bytes)).unwrap_or_default(),
        ran: attempt.duration_ms.map(|ms| say.duration(ms / 1_000)).unwrap_or_default(),
        ended: bar.ended_us.map(|at| say.tick(at, 60)).unwrap_or_default(),
        exit,
        cause: attempt
            .cause
            .as_deref()
            .map(|cause| words.cause_of(cause))
            .unwrap_or_else(|| words.pick("passed", "合格").to_owned()),
        evidence: evidence(bar),
        executor: attempt.executor.clone(),
        log: log_of(seen, bar),
    }
}

/// What the cause rests on: never a word of a log.
fn evidence(bar: &Bar) -> String {
    let attempt = &bar.attempt;
    let mut said = Vec::new();
    if bar.oom_kills > 0 {
        said.push(format!("cgroup oom_kill {}", bar.oom_kills));
    } else if attempt.oom_killed {
        said.push("oom_killed".to_owned());
    }
    if attempt.timed_out {
        said.push("timed_out".to_owned());
    }
    if let Some(signal) = attempt.signal {
        said.push(format!("signal {signal}"));
    } else if let (true, Some(code)) = (said.is_empty(), attempt.exit_code) {
        said.push(format!("exit {code}"));
    }
    said.join(", ")
}

fn log_of(seen: &Seen, bar: &Bar) -> String {
    let (step, attempt) = (url(bar.attempt.step.as_str()), url(bar.attempt.id.as_str()));
    format!("/runs/{}/log?step={step}&attempt={attempt}", seen.sheet.run.id)
}

/// The end of the last attempt's log, and a line that says so.
async fn tail(
    app: &App,
    row: Option<&kentai_engine::store::rows::Attempt>,
    (say, words): (&Say, &'static Words),
) -> (String, String) {
    let Some(row) = row.cloned() else { return (String::new(), String::new()) };
    let directory = app.engine.options().directory.clone();
    let read = tokio::task::spawn_blocking(move || read_tail(&directory, &row, TAIL_BYTES));
    let Ok(Ok(chunk)) = read.await else { return (String::new(), String::new()) };
    let (size, text) = (chunk.next, plain(&chunk.bytes));
    // The first line may be cut.
    let text = if size > TAIL_BYTES { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let lines = last_lines(text, TAIL_LINES);
    let note = words.pick(
        format!("the end of {}; its cause is not read from here", say.bytes(size)),
        format!("全{}の末尾。原因の判定には使いません", say.bytes(size)),
    );
    (lines.clone(), if lines.is_empty() { String::new() } else { note })
}

fn choices(seen: &Seen, task: &Task, words: &'static Words) -> Vec<Choice> {
    let run = &seen.sheet.run;
    let id = &run.id;
    let counts = &seen.sheet.counts;
    let again = counts.of(TaskState::Failed) + if run.status.is_end() { counts.of(TaskState::Canceled) } else { 0 };
    let kept = counts.of(TaskState::Passed) + counts.of(TaskState::Warned);
    let mut choices = vec![Choice {
        id: "choose-retry",
        label: if again == 1 {
            words.pick(format!("Retry {}", task.step.key), format!("{} を再試行する", task.step.key))
        } else {
            words.pick("Retry what failed".to_owned(), "失敗した分を再試行する".to_owned())
        },
        post: true,
        href: format!("/runs/{id}/retry"),
        primary: true,
        effect: words.retry_effect(again, kept),
    }];
    if run.status.is_end() {
        choices.push(Choice {
            id: "choose-retry-from",
            label: words.pick("Retry from an earlier step", "前のステップからやり直す").to_owned(),
            post: false,
            href: format!("/runs/{id}/retry"),
            primary: false,
            effect: words.again_from_effect().to_owned(),
        });
    } else {
        choices.push(Choice {
            id: "choose-cancel",
            label: words.pick("Give up on this run", "この実行を取り消す").to_owned(),
            post: false,
            href: format!("/runs/{id}/cancel"),
            primary: false,
            effect: words.cancel_effect(counts.of(TaskState::Running)),
        });
    }
    choices
}

async fn kin(
    app: &App,
    visit: &Visit,
    seen: &Seen,
    task: &Task,
    words: &'static Words,
) -> Result<Option<Kin>, Problem> {
    let Some(cause) = task.step.cause else { return Ok(None) };
    let since = visit.now() - KIN_DAYS * DAY_US;
    let id = &seen.sheet.run.id;
    let runs = run_sheet::kin(app.engine.reader(), (id, &task.step.step, cause), since).await?;
    let count = runs.len();
    if count == 0 {
        return Ok(None);
    }
    let said = words.pick(
        format!("{count} {} in {KIN_DAYS} days, at the same step", if count == 1 { "run" } else { "runs" }),
        format!("{KIN_DAYS}日間に同じステップで{count}件"),
    );
    Ok(Some(Kin { said, runs: runs.into_iter().take(5).map(|run| run.to_string()).collect() }))
}

/// Which steps still run, and which wait for the failed ones.
fn meanwhile(seen: &Seen, words: &'static Words) -> String {
    let steps = |wanted: &dyn Fn(&run_sheet::StepTally) -> bool| -> Vec<String> {
        seen.sheet.steps.iter().filter(|step| wanted(step)).map(|step| step.step.clone()).take(6).collect()
    };
    let running = steps(&|step| step.counts.of(TaskState::Running) > 0);
    let waiting = steps(&|step| step.counts.of(TaskState::Waiting) > 0 && step.counts.of(TaskState::Running) == 0);
    let join = |names: &[String]| names.join(words.pick(", ", "、"));
    let mut parts = Vec::new();
    if !running.is_empty() {
        parts.push(
            words.pick(format!("{} runs to its end", join(&running)), format!("{} は最後まで続きます", join(&running))),
        );
    }
    if !waiting.is_empty() {
        parts.push(words.pick(format!("{} waits", join(&waiting)), format!("{} は待機します", join(&waiting))));
    }
    if parts.is_empty() {
        return words.pick("Nothing of this run goes on.", "この実行で進んでいるものはありません。").to_owned();
    }
    parts.join(words.pick("; ", "。"))
}
