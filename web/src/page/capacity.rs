//! What the site has, what of it is taken, how long the disk lasts, what lay idle, and what failed; draining an executor.

mod act;
mod hands;
pub(crate) mod machine;
mod waste;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::capacity::{self, Failures, Growth, Taken, Waste};

use super::chart::shares;
use super::markup::Markup;
use super::moment::Kept;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;

use machine::{Disk, Hands};
use words::{FullIn, Words};

/// A disk that is full sooner is said to be.
const SOON_DAYS: i64 = 14;
/// Nobody buys a disk on a forecast that reaches further.
const FORECAST_DAYS: i64 = 3_650;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/capacity", get(show))
        .route("/capacity/act", get(act::ask).post(act::act))
        .layer(Extension(Kept::<Capacity>::default()))
}

/// Counted for all readers: executors are asked, file systems looked at, the newest attempts gone through.
struct Capacity {
    hands: Vec<Hands>,
    taken: Vec<Taken>,
    disks: Vec<Disk>,
    growth: Growth,
    waste: Vec<Waste>,
    failures: Vec<Failures>,
}

#[derive(Template)]
#[template(path = "capacity.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    lead: String,
    executors: Vec<hands::Row>,
    resources: Vec<Resource>,
    disks: Vec<DiskRow>,
    growth: String,
    waste: [waste::Table; 2],
    failures: Vec<FailureRow>,
    failures_note: String,
}

struct Resource {
    name: &'static str,
    taken: String,
    all: String,
    bar: Option<Markup>,
}

struct DiskRow {
    state: Shown,
    parts: String,
    what: &'static str,
    free: String,
    all: String,
    bar: Markup,
    forecast: String,
    remedy: &'static str,
}

struct FailureRow {
    cause: &'static str,
    href: String,
    week: String,
    month: String,
    steps: String,
}

/// `GET /capacity`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Extension(kept): Extension<Kept<Capacity>>,
) -> Result<Response, Problem> {
    let who = visit.principal();
    capacity::may_see(&who)?;
    let now = visit.now();
    let found = kept
        .get(&app, "", move |app| async move {
            let reader = app.engine.reader();
            let directory = app.engine.options().directory.clone();
            let disks = tokio::task::spawn_blocking(move || machine::disks(&directory));
            Ok(Capacity {
                hands: machine::ping(&app.engine.options().executors).await,
                taken: capacity::taken(reader, &who).await?,
                disks: disks.await.map_err(|panic| Problem::internal(&panic))?,
                growth: capacity::growth(reader, &who, now).await?,
                waste: capacity::waste(reader, &who).await?,
                failures: capacity::failures(reader, &who, now).await?,
            })
        })
        .await?;
    // Not kept: whoever drained one sees it so.
    let standings = app.engine.executors().await?;
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let page_of = Page {
        lead: lead(&found, words, &shell),
        executors: hands::rows(&found, &standings, visit.may(Action::StopAll), words, &shell),
        resources: resources(&app, &found, words, &shell),
        disks: disks(&found, words, &shell, now),
        growth: words.growth(&shell.say.bytes(u64::try_from(found.growth.bytes).unwrap_or(0)), found.growth.days),
        waste: waste::tables(&found.waste, words, &shell),
        failures: failures(&found, &shell),
        failures_note: words.failures_note(&count(found.failures.iter().map(|one| one.count).sum(), &shell)),
        words,
        shell,
    };
    Ok(page(&page_of))
}

fn count(number: i64, shell: &Shell) -> String {
    shell.say.count(number)
}

fn lead(found: &Arc<Capacity>, words: &Words, shell: &Shell) -> String {
    let silent = found.hands.iter().filter(|one| !one.reachable).count();
    let running: i64 = found.taken.iter().map(|one| one.running).sum();
    let soonest = found.disks.iter().filter_map(|disk| found.growth.days_until(disk.free, found.growth.bytes)).min();
    let full_in = match soonest {
        None => FullIn::Never,
        Some(days) if days < FORECAST_DAYS => FullIn::Time(shell.say.duration(days.saturating_mul(86_400))),
        Some(_) => FullIn::Late,
    };
    words.lead(silent, &count(running, shell), &full_in)
}

fn resources(app: &App, found: &Capacity, words: &Words, shell: &Shell) -> Vec<Resource> {
    let options = app.engine.options();
    let tools = app.engine.pulse().borrow().tools;
    let sum = |of: fn(&Taken) -> i64| u64::try_from(found.taken.iter().map(of).sum::<i64>()).unwrap_or(0);
    let counted = |number: u64| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let memory = |bytes: u64| shell.say.memory(bytes);
    let row = |name: &'static str, taken: u64, all: u64, told: &dyn Fn(u64) -> String| Resource {
        name,
        taken: told(taken),
        all: if all == 0 { words.no_limit.to_owned() } else { told(all) },
        bar: (all > 0).then(|| shares::bar(taken, all, &format!("{name}: {} / {}", told(taken), told(all)))),
    };
    let (slots, tools) = (u64::try_from(options.slots).unwrap_or(0), u64::try_from(tools).unwrap_or(0));
    vec![
        row(words.slots, tools, slots, &counted),
        row(words.cores, sum(|one| one.cpus), options.resources.cpus.into(), &counted),
        row(words.memory, sum(|one| one.memory_bytes), options.resources.memory_bytes, &memory),
    ]
}

fn disks(found: &Capacity, words: &'static Words, shell: &Shell, now: i64) -> Vec<DiskRow> {
    let say = &shell.say;
    let counted = |number: u64| say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let mut rows = Vec::new();
    for disk in &found.disks {
        let days = found.growth.days_until(disk.free, found.growth.bytes);
        let told = |days: Option<i64>| match days {
            Some(days) if days < FORECAST_DAYS => {
                let then = say.stamp(now.saturating_add(days.saturating_mul(86_400_000_000)));
                words.full_in(&say.duration(days.saturating_mul(86_400)), &say.date(&then))
            }
            _ => words.never_full.to_owned(),
        };
        let state = |low: machine::Low, days: Option<i64>| match low {
            machine::Low::None => Shape::Failed.called(words.nothing_fits),
            machine::Low::Little => Shape::Warned.called(words.little),
            machine::Low::Enough if days.is_some_and(|days| days < SOON_DAYS) => Shape::Warned.called(words.soon),
            machine::Low::Enough => Shape::Passed.called(words.enough),
        };
        let title = format!("{}: {}", words.disk, say.bytes(disk.free));
        let low = disk.low();
        rows.push(DiskRow {
            state: state(low, days),
            parts: disk.parts.join(say.pick(", ", "・")),
            what: words.disk,
            free: say.bytes(disk.free),
            all: say.bytes(disk.all),
            bar: shares::bar(disk.all.saturating_sub(disk.free), disk.all, &title),
            forecast: told(days),
            remedy: if low == machine::Low::Enough { "" } else { words.make_room },
        });
        let (low, days) = (disk.inodes_low(), found.growth.days_until(disk.inodes_free, found.growth.files));
        // Some file systems make inodes as they go and say zero.
        if disk.inodes > 0 {
            let title = format!("{}: {}", words.inodes, counted(disk.inodes_free));
            rows.push(DiskRow {
                state: state(low, days),
                parts: disk.parts.join(say.pick(", ", "・")),
                what: words.inodes,
                free: counted(disk.inodes_free),
                all: counted(disk.inodes),
                bar: shares::bar(disk.inodes.saturating_sub(disk.inodes_free), disk.inodes, &title),
                forecast: told(days),
                remedy: if low == machine::Low::Enough { "" } else { words.remove_small },
            });
        }
    }
    rows
}

/// One row for each cause, the most first.
fn failures(found: &Capacity, shell: &Shell) -> Vec<FailureRow> {
    super::failures::by_cause(&found.failures)
        .into_iter()
        .map(|one| FailureRow {
            cause: super::failures::cause(&one.cause, shell),
            href: format!("/failures?cause={}", super::control::segment(&one.cause)),
            week: count(one.week, shell),
            month: count(one.month, shell),
            steps: one.steps.join(shell.say.pick(", ", "・")),
        })
        .collect()
}
