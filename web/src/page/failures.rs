//! What failed: by cause over the last days, and the attempts of one cause with the way to their runs.

mod words;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use kentai_engine::store::read::FailureFilter;
use kentai_engine::view::center::capacity::{self, FailedAttempt, Failures};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::moment::Kept;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

const DAY_US: i64 = 86_400_000_000;
/// Steps of a cause that are named.
const STEPS: usize = 4;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/failures", get(show)).layer(Extension(Kept::<Vec<Failures>>::default()))
}

/// Which failures.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `7` or `30`.
    days: Option<String>,
    cause: Option<String>,
    workflow: Option<String>,
    step: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    days: Vec<Filter>,
    causes: Vec<Filter>,
    groups: Vec<Group>,
    groups_note: String,
    rows: Vec<Row>,
    turns: Turns,
    narrowed: String,
}

/// Failures of one cause in one step of a workflow.
struct Group {
    cause: &'static str,
    workflow: String,
    step: String,
    href: String,
    week_href: String,
    week: String,
    month: String,
    runs: String,
    newest: String,
}

struct Row {
    state: Shown,
    one: FailedAttempt,
}

/// Failures of one cause.
pub(super) struct ByCause {
    pub(super) cause: String,
    pub(super) week: i64,
    pub(super) month: i64,
    /// `workflow/step`, the most first.
    pub(super) steps: Vec<String>,
}

/// By cause, the most first; `all` is in the order of how many.
pub(super) fn by_cause(all: &[Failures]) -> Vec<ByCause> {
    let mut found: BTreeMap<&str, ByCause> = BTreeMap::new();
    for one in all {
        let cause = found.entry(&one.cause).or_insert_with(|| ByCause {
            cause: one.cause.clone(),
            week: 0,
            month: 0,
            steps: Vec::new(),
        });
        cause.week += one.week;
        cause.month += one.count;
        if cause.steps.len() < STEPS {
            cause.steps.push(format!("{}/{}", one.workflow, one.step));
        }
    }
    let mut found: Vec<ByCause> = found.into_values().collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.month));
    found
}

/// A cause, as people call it.
pub(super) fn cause(word: &str, shell: &Shell) -> &'static str {
    let (en, ja) = match word {
        "tool" => ("Tool failed", "ツールの失敗"),
        "out_of_memory" => ("Out of memory", "メモリー不足"),
        "timeout" => ("Out of time", "時間切れ"),
        "bad_output" => ("Output missing or broken", "出力の欠落・破損"),
        "infrastructure" => ("Our machines", "設備の障害"),
        "preempted" => ("Preempted", "クラスターによる中断"),
        "image" => ("Image", "イメージ"),
        "lost" => ("Lost without a record", "記録なしの消失"),
        "policy" => ("Against a rule", "規則違反"),
        "consent" => ("Consent", "同意"),
        _ => ("Other", "その他"),
    };
    match shell.language() {
        Language::En => en,
        Language::Ja => ja,
    }
}

/// `GET /failures`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Extension(kept): Extension<Kept<Vec<Failures>>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let who = visit.principal();
    let days: i64 = match wanted.days.as_deref().unwrap_or("30") {
        "7" => 7,
        "30" => 30,
        other => return Err(Problem::bad(format!("`{}` is neither 7 nor 30 days", other.escape_debug()))),
    };
    let now = visit.now();
    let filter = FailureFilter {
        since_us: now - days * DAY_US,
        cause: wanted.cause.clone(),
        workflow: wanted.workflow.clone(),
        step: wanted.step.clone(),
        after: None,
        limit: wanted.format.rows(),
    };
    let found = capacity::failed_attempts(app.engine.reader(), &who, filter, wanted.after.as_deref()).await?;
    if wanted.format == Format::Csv {
        return csv(found.items);
    }
    let all = kept
        .get(&app, "", move |app| async move { Ok(capacity::failures(app.engine.reader(), &who, now).await?) })
        .await?;
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let address = Address::new("/failures")
        .with("days", wanted.days.as_deref())
        .with("cause", wanted.cause.as_deref())
        .with("workflow", wanted.workflow.as_deref())
        .with("step", wanted.step.as_deref());
    let shown_days = (days == 7).then_some("7");
    let by_days = |value: Option<&str>, label: &str| Filter::new(&address, "days", value, shown_days, label);
    let mut causes = vec![Filter::new(&address, "cause", None, wanted.cause.as_deref(), shell.words.all)];
    causes.extend(by_cause(&all).iter().map(|one| {
        let count = if days == 7 { one.week } else { one.month };
        let label = cause(&one.cause, &shell);
        let filter = Filter::new(&address, "cause", Some(&one.cause), wanted.cause.as_deref(), label);
        Filter { count: Some(shell.say.count(count)), ..filter }
    }));
    let matches = |asked: &Option<String>, has: &str| asked.as_deref().is_none_or(|asked| asked == has);
    let groups: Vec<Group> = all
        .iter()
        .filter(|one| matches(&wanted.cause, &one.cause) && matches(&wanted.workflow, &one.workflow))
        .filter(|one| days == 30 || one.week > 0)
        .map(|one| group(one, &address, &shell))
        .collect();
    let narrowed = [&wanted.workflow, &wanted.step].into_iter().flatten().cloned().collect::<Vec<_>>().join("/");
    let rows = found.items.into_iter().map(|one| Row { state: Shape::Failed.called(cause(&one.cause, &shell)), one });
    let template = Page {
        rows: rows.collect(),
        days: vec![by_days(None, words.month), by_days(Some("7"), words.week)],
        causes,
        groups_note: words.groups(&shell.say.count(i64::try_from(groups.len()).unwrap_or(i64::MAX))),
        groups,
        turns: Turns::new(&address, wanted.after.as_deref(), found.next.as_deref()),
        narrowed,
        words,
        shell,
    };
    Ok(page(&template))
}

fn group(one: &Failures, address: &Address, shell: &Shell) -> Group {
    let href =
        address.with("cause", Some(&one.cause)).with("workflow", Some(&one.workflow)).with("step", Some(&one.step));
    Group {
        cause: cause(&one.cause, shell),
        workflow: one.workflow.clone(),
        step: one.step.clone(),
        href: href.with("days", None).to_string(),
        week_href: href.with("days", Some("7")).to_string(),
        week: shell.say.count(one.week),
        month: shell.say.count(one.count),
        runs: shell.say.count(one.runs),
        newest: one.newest.clone(),
    }
}

fn csv(found: Vec<FailedAttempt>) -> Result<Response, Problem> {
    let head = ["attempt", "run", "specimen", "workflow", "step", "number", "executor", "cause", "at"];
    let rows = found.into_iter().map(|one| {
        let FailedAttempt { attempt, run, step, number, executor, cause, at, specimen, workflow } = one;
        [attempt, run, specimen, workflow, step, number.to_string(), executor, cause, at]
    });
    list::csv("failures", head, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_summed_over_steps_and_the_most_come_first() {
        let one = |cause: &str, step: &str, count: i64, week: i64| Failures {
            cause: cause.into(),
            workflow: "wgs".into(),
            step: step.into(),
            count,
            week,
            runs: 1,
            newest: String::new(),
        };
        let found = by_cause(&[one("tool", "align", 5, 1), one("lost", "call", 4, 0), one("lost", "align", 3, 2)]);
        let told: Vec<(&str, i64, i64)> = found.iter().map(|one| (one.cause.as_str(), one.month, one.week)).collect();
        assert_eq!(told, [("lost", 7, 2), ("tool", 5, 1)]);
        assert_eq!(found[0].steps, ["wgs/call", "wgs/align"]);
    }
}
