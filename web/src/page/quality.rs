//! Every metric that is watched: how many values, the last one, what breaks the rules, what passes, and who let pass what did not.

mod words;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use kentai_engine::qc::metric::find;
use kentai_engine::view::center::quality::{self, Narrow, Watched};
use serde::Deserialize;

use super::address::Address;
use super::chart::control::loudest;
use super::control::choices::Choices;
use super::list::{self, Filter, Format};
use super::moment::Kept;
use super::say::Say;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/quality", get(list))
        .layer(Extension(Kept::<Vec<Watched>>::default()))
        .layer(Extension(Kept::<Choices>::default()))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    assay: Option<String>,
    workflow: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "quality.html")]
struct Quality {
    shell: Shell,
    words: &'static Words,
    assays: Vec<Filter>,
    workflows: Vec<Filter>,
    parts: Vec<Part>,
    csv: String,
}

/// Metrics of one source.
struct Part {
    id: &'static str,
    heading: &'static str,
    note: String,
    empty: &'static str,
    rows: Vec<Row>,
}

/// One metric.
struct Row {
    metric: String,
    name: String,
    href: String,
    count: String,
    last: String,
    at: String,
    score: String,
    state: Shown,
    out: String,
    warned: String,
    pass: String,
    overrides: String,
}

/// `GET /quality`
async fn list(
    State(app): State<App>,
    visit: Visit,
    Extension(kept): Extension<Kept<Vec<Watched>>>,
    Extension(choices): Extension<Kept<Choices>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let who = visit.principal();
    quality::may_see(&who)?;
    let assay = wanted.assay.as_deref().filter(|text| !text.is_empty()).map(pair).transpose()?;
    let workflow = wanted.workflow.clone().filter(|text| !text.is_empty());
    let key = format!("{assay:?} {workflow:?}");
    let (narrow, now) = (Narrow { assay, workflow }, visit.now());
    let found = kept
        .get(&app, &key, move |app| async move {
            // What is counted is the same for everybody who may see it, and that was asked above.
            Ok(quality::quality(app.engine.reader(), &who, now, &narrow).await?)
        })
        .await?;
    if wanted.format == Format::Csv {
        return csv(&found);
    }
    let choices = Choices::of(&choices, &app, &visit).await?;
    let shell = visit.shell(Place::Quality);
    let words = Words::of(visit.language());
    let address = Address::new("/quality");
    let filters = |name, values: &[String], now: Option<&str>| -> Vec<Filter> {
        let all = std::iter::once(Filter::new(&address, name, None, now, shell.words.all));
        all.chain(values.iter().map(|value| Filter::new(&address, name, Some(value), now, value.as_str()))).collect()
    };
    let assays = filters("assay", &choices.assays, wanted.assay.as_deref());
    let workflows = filters("workflow", &choices.workflows, wanted.workflow.as_deref());
    let rows = |of_order_lines: bool| -> Vec<Row> {
        let own = found.iter().filter(|one| one.of_order_lines == of_order_lines);
        own.map(|one| row(one, &wanted, &shell, words)).collect()
    };
    let part = |of_order_lines: bool| {
        let rows = rows(of_order_lines);
        let (id, heading, empty) = if of_order_lines {
            ("order-lines", words.of_order_lines, words.no_order_lines)
        } else {
            ("gates", words.of_gates, words.no_gates)
        };
        let note = words.metrics(&shell.say.count(i64::try_from(rows.len()).unwrap_or(i64::MAX)));
        Part { id, heading, note, empty, rows }
    };
    let parts = vec![part(true), part(false)];
    let csv = address
        .with("assay", wanted.assay.as_deref())
        .with("workflow", wanted.workflow.as_deref())
        .with("format", Some("csv"))
        .to_string();
    Ok(page(&Quality { words, assays, workflows, parts, csv, shell }))
}

/// `NAME@VERSION`
pub(super) fn pair(text: &str) -> Result<(String, String), Problem> {
    let parts = text.split_once('@').filter(|(name, version)| !name.is_empty() && !version.is_empty());
    let pair = parts.map(|(name, version)| (name.to_owned(), version.to_owned()));
    pair.ok_or_else(|| Problem::bad(format!("`{}` is no assay: write it as NAME@VERSION", text.escape_debug())))
}

/// What a metric is called; one of a gate is called by its id.
pub(super) fn name(metric: &str, say: &Say) -> String {
    let text = find(metric).map_or(metric, |known| say.pick(known.en, known.ja));
    let mut letters = text.chars();
    // As a heading begins; ids of gates stay as they are.
    match (letters.next(), find(metric)) {
        (Some(first), Some(_)) => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// How the newest value stands; what was before is counted beside it.
fn state(one: &Watched, words: &Words) -> Shown {
    match loudest(&one.broken) {
        Some(rule) if rule.is_warning() => Shape::Warned.called(words.warned),
        Some(rule) => Shape::Failed.called(format!("{} {}", words.out, rule.word())),
        None if one.score.is_none() => Shape::Waiting.called(words.no_limits),
        None => Shape::Passed.called(words.in_control),
    }
}

fn row(one: &Watched, wanted: &Wanted, shell: &Shell, words: &Words) -> Row {
    let say = &shell.say;
    let count = |number: usize| say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let address = Address::new(format!("/quality/{}", super::control::segment(&one.metric)))
        .with("source", Some(if one.of_order_lines { "orders" } else { "runs" }))
        .with("assay", wanted.assay.as_deref())
        .with("workflow", wanted.workflow.as_deref());
    #[expect(clippy::cast_precision_loss, reason = "a count of values")]
    let share = (one.judged > 0).then(|| one.passed as f64 / one.judged as f64);
    let overrides = one.overrides.iter().map(|(person, times)| match times {
        1 => person.clone(),
        times => format!("{person} ×{times}"),
    });
    Row {
        name: name(&one.metric, say),
        metric: one.metric.clone(),
        href: address.to_string(),
        count: count(one.count),
        last: one.last.as_ref().map(|(value, _)| say.measured(*value, &one.unit)).unwrap_or_default(),
        at: one.last.as_ref().map(|(_, at)| at.clone()).unwrap_or_default(),
        score: one.score.map(|score| say.deviations(score)).unwrap_or_default(),
        state: state(one, words),
        out: count(one.out),
        warned: count(one.warned),
        pass: share.map_or_else(
            || words.not_judged.to_owned(),
            |share| format!("{} ({})", say.share(share), count(one.judged)),
        ),
        overrides: overrides.collect::<Vec<_>>().join(say.pick(", ", "・")),
    }
}

fn csv(found: &[Watched]) -> Result<Response, Problem> {
    let head =
        ["metric", "source", "unit", "n", "last", "at", "deviations", "out", "warned", "judged", "passed", "overrides"];
    let rows = found.iter().map(|one| {
        let overrides: Vec<String> = one.overrides.iter().map(|(person, times)| format!("{person}: {times}")).collect();
        let last = one.last.as_ref();
        [
            one.metric.clone(),
            if one.of_order_lines { "order lines" } else { "gates" }.to_owned(),
            one.unit.clone(),
            one.count.to_string(),
            last.map(|(value, _)| value.to_string()).unwrap_or_default(),
            last.map(|(_, at)| at.clone()).unwrap_or_default(),
            one.score.map(|score| format!("{score:.3}")).unwrap_or_default(),
            one.out.to_string(),
            one.warned.to_string(),
            one.judged.to_string(),
            one.passed.to_string(),
            overrides.join("; "),
        ]
    });
    list::csv("quality", head, rows)
}
