//! The control chart of one metric: the chart, the same control elsewhere, its table twin, the rules in force, and a decision about it.

pub(super) mod choices;
mod decide;
mod rows;
mod words;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use jiff::civil::Date;
use kentai_engine::qc::control::{POINTS_MIN, Rule};
use kentai_engine::qc::metric::find;
use kentai_engine::view::center::control::{Control, Elsewhere, Point, Source, Wish, control};
use serde::Deserialize;

use super::address::Address;
use super::chart::control as drawing;
use super::list::{self, Format};
use super::markup::Markup;
use super::moment::Kept;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use choices::{Choice, Choices};
use rows::Row;
use words::Words;

/// Points of a chart when nobody says how many, and at most.
const POINTS: usize = 60;
const WINDOWS: [usize; 4] = [30, 60, 120, 200];
const CSV_POINTS: usize = 1_000;
/// Points that may be the baseline of all others.
const BASELINES: [usize; 3] = [10, 20, 30];
/// Rows of the table twin before all of them are asked for.
const ROWS: usize = 12;
/// In force, the loudest first.
const RULES: [Rule; 5] = [Rule::OneThreeS, Rule::RFourS, Rule::TwoTwoS, Rule::TenX, Rule::OneTwoS];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/quality/{metric}", get(show))
        .route("/quality/{metric}/decide", get(decide::ask).post(decide::answer))
        .layer(Extension(Kept::<Choices>::default()))
}

/// A name as one part of an address.
pub(super) fn segment(name: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Which chart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `orders`, `runs`, or a control specimen: `of:NA18939`.
    source: Option<String>,
    assay: Option<String>,
    workflow: Option<String>,
    instrument: Option<String>,
    points: Option<usize>,
    /// A date: what is older is left out, and the limits begin anew.
    since: Option<String>,
    /// `each`, or how many points.
    baseline: Option<String>,
    /// The whole table.
    all: Option<String>,
    #[serde(default)]
    format: Format,
}

impl Wanted {
    /// What is charted; when nobody says it, what the metric is measured of.
    fn source(&self, metric: &str) -> &str {
        match self.source.as_deref().unwrap_or_default() {
            "" if find(metric).is_some() => "orders",
            "" => "runs",
            said => said,
        }
    }

    fn wish(&self, metric: &str, visit: &Visit) -> Result<Wish, Problem> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let source = match self.source(metric) {
            "orders" => Source::OrderLines,
            "runs" => Source::Runs,
            other => match other.strip_prefix("of:").filter(|specimen| !specimen.is_empty()) {
                Some(specimen) => Source::Control(specimen.to_owned()),
                None => return Err(Problem::bad(format!("`{}` is nothing that is charted", other.escape_debug()))),
            },
        };
        let baseline = match self.baseline.as_deref().unwrap_or_default() {
            "" | "each" => None,
            text => {
                let count = text.parse().ok().filter(|count| BASELINES.contains(count));
                Some(count.ok_or_else(|| Problem::bad("the baseline is `each`, 10, 20 or 30"))?)
            }
        };
        let points = self.points.unwrap_or(POINTS);
        if points == 0 || points > CSV_POINTS {
            return Err(Problem::bad(format!("points are 1 to {CSV_POINTS}")));
        }
        let of_runs = !matches!(source, Source::OrderLines);
        Ok(Wish {
            assay: said(&self.assay).filter(|_| !of_runs).as_deref().map(super::quality::pair).transpose()?,
            workflow: said(&self.workflow).filter(|_| of_runs),
            instrument: said(&self.instrument),
            since_us: said(&self.since).map_or(Ok(0), |text| begins(&text, visit))?,
            limit: if self.format == Format::Csv { CSV_POINTS } else { points },
            baseline,
            source,
        })
    }

    /// The address of this chart.
    fn address(&self, metric: &str) -> Address {
        let points = self.points.map(|points| points.to_string());
        Address::new(format!("/quality/{}", segment(metric)))
            .with("source", self.source.as_deref())
            .with("assay", self.assay.as_deref())
            .with("workflow", self.workflow.as_deref())
            .with("instrument", self.instrument.as_deref())
            .with("points", points.as_deref())
            .with("since", self.since.as_deref())
            .with("baseline", self.baseline.as_deref())
    }
}

/// The first moment of a day where the site is.
fn begins(text: &str, visit: &Visit) -> Result<i64, Problem> {
    let day: Option<Date> = text.parse().ok();
    let at = day.and_then(|day| day.to_zoned(visit.zone().clone()).ok());
    let at = at.ok_or_else(|| Problem::bad(format!("`{}` is no date: write 2026-11-25", text.escape_debug())))?;
    Ok(at.timestamp().as_microsecond())
}

#[derive(Template)]
#[template(path = "control.html")]
struct Chart {
    shell: Shell,
    words: &'static Words,
    metric: String,
    name: String,
    lead: String,
    action: String,
    selects: Vec<Select>,
    since: String,
    limits: String,
    count: String,
    chart: Option<Markup>,
    elsewhere: Vec<Small>,
    table_note: String,
    rows: Vec<Row>,
    /// All rows, when these are not.
    all: Option<String>,
    rules: Vec<RuleRow>,
    said: Vec<rows::Decided>,
    csv: String,
    decide: String,
}

/// One choice of the form.
struct Select {
    name: &'static str,
    label: &'static str,
    options: Vec<Choice>,
}

/// The chart of another instrument.
struct Small {
    state: Shown,
    said: String,
    href: String,
    svg: Markup,
}

/// A rule in force, and how often it was broken here.
struct RuleRow {
    state: Shown,
    says: &'static str,
    then: &'static str,
    count: String,
}

/// `GET /quality/{metric}`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Extension(choices): Extension<Kept<Choices>>,
    Path(metric): Path<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let wish = wanted.wish(&metric, &visit)?;
    let found = control(app.engine.reader(), &visit.principal(), &metric, &wish).await?;
    if wanted.format == Format::Csv {
        return csv(&found);
    }
    let choices = Choices::of(&choices, &app, &visit).await?;
    let shell = visit.shell(Place::Quality);
    let words = Words::of(visit.language());
    let say = &shell.say;
    let name = super::quality::name(&metric, say);
    let address = wanted.address(&metric);
    let number = |value: f64| say.measured(value, &found.unit);
    let limits = found.limits.map_or_else(
        || words.no_limits(found.counted, POINTS_MIN),
        |limits| words.limits(&number(limits.mean), &number(limits.deviation), found.counted),
    );
    let marks: Vec<drawing::Mark> = found.points.iter().map(|point| mark(point, &shell)).collect();
    let first = found.points.iter().position(|point| point.limits.is_some());
    let baseline = match (wish.baseline, first) {
        (Some(count), _) => words.baseline(count.min(found.points.len())),
        (None, Some(first @ 1..)) => words.baseline(first),
        _ => String::new(),
    };
    let lead = words.lead(&found, say);
    let tick = |value: f64| say.tick_of(value, &found.unit);
    let (mean, lot) = (words.mean, words.lot);
    let says = drawing::Says { title: &name, description: &lead, baseline, mean, lot, tick: &tick };
    let chart = (!marks.is_empty()).then(|| drawing::chart(&marks, found.limits, &says, &number));
    let shown = rows::shown(&found, wanted.all.is_some(), ROWS);
    let total = say.count(i64::try_from(found.points.len()).unwrap_or(i64::MAX));
    let whole = shown.len() == found.points.len();
    let rows: Vec<Row> = shown.iter().map(|point| rows::row(point, &metric, &found.unit, &shell, words)).collect();
    let table = Chart {
        table_note: words.table_note(&say.count(i64::try_from(rows.len()).unwrap_or(i64::MAX)), &total, whole),
        rows,
        all: (!whole).then(|| format!("{}#table", address.with("all", Some("yes")))),
        selects: selects(&wanted, &found, &choices, words),
        since: wanted.since.clone().unwrap_or_default(),
        action: format!("/quality/{}", segment(&metric)),
        elsewhere: found.elsewhere.iter().map(|one| small(one, &address, &shell, words)).collect(),
        rules: RULES.iter().map(|rule| rule_row(*rule, &found, &shell, words)).collect(),
        said: found.said.iter().map(|said| rows::decided(said, say, words)).collect(),
        csv: address.with("format", Some("csv")).to_string(),
        decide: format!("/quality/{}/decide", segment(&metric)),
        count: words.count(&total, found.older),
        name,
        metric,
        lead,
        limits,
        chart,
        words,
        shell,
    };
    Ok(page(&table))
}

fn mark(point: &Point, shell: &Shell) -> drawing::Mark {
    drawing::Mark {
        value: point.value,
        limits: point.limits,
        broken: point.broken.clone(),
        date: shell.say.date(&point.at),
        lot: point.lot.clone(),
    }
}

fn selects(wanted: &Wanted, found: &Control, choices: &Choices, words: &Words) -> Vec<Select> {
    let chosen = |value: &Option<String>| value.clone().unwrap_or_default();
    let source = wanted.source(&found.metric);
    let sources = choices.sources(source, words);
    let instruments: Vec<String> = found.elsewhere.iter().map(|one| one.instrument.clone()).collect();
    let mut all = vec![
        Select { name: "source", label: words.source, options: sources },
        Select {
            name: "instrument",
            label: words.instrument,
            options: choices::any(&instruments, &chosen(&wanted.instrument), words.any_instrument),
        },
    ];
    all.push(if source == "orders" {
        let options = choices::any(&choices.assays, &chosen(&wanted.assay), words.any_assay);
        Select { name: "assay", label: words.assay, options }
    } else {
        let options = choices::any(&choices.workflows, &chosen(&wanted.workflow), words.any_workflow);
        Select { name: "workflow", label: words.workflow, options }
    });
    let points = wanted.points.unwrap_or(POINTS);
    let window = |count: usize| Choice::new(&count.to_string(), &words.window(count), count == points);
    all.push(Select { name: "points", label: words.window, options: WINDOWS.map(window).into() });
    let baseline = chosen(&wanted.baseline);
    let each = Choice::new("each", words.each, baseline.is_empty() || baseline == "each");
    let fixed =
        BASELINES.map(|count| Choice::new(&count.to_string(), &words.first(count), baseline == count.to_string()));
    all.push(Select { name: "baseline", label: words.baseline, options: std::iter::once(each).chain(fixed).collect() });
    all
}

fn small(one: &Elsewhere, address: &Address, shell: &Shell, words: &Words) -> Small {
    let newest = one.points.last().map(|(_, rules)| rules.as_slice()).unwrap_or_default();
    let shape = drawing::loudest(newest).map_or(Shape::Passed, drawing::shape);
    let scored = one.points.iter().any(|(score, _)| score.is_some());
    let mut said = match (drawing::loudest(newest), &one.broken_at) {
        _ if !scored => words.too_few.to_owned(),
        (Some(rule), _) => words.broken_now(rule.word()),
        (None, Some(at)) => words.broken_on(&shell.say.date(at)),
        (None, None) => words.in_control.to_owned(),
    };
    if !one.lot.is_empty() {
        said = format!("{said}{}{} {}", shell.say.pick(", ", "・"), words.lot, one.lot);
    }
    let shape = if scored { shape } else { Shape::Waiting };
    Small {
        state: shape.called(one.instrument.as_str()),
        href: address.with("instrument", Some(&one.instrument)).to_string(),
        svg: drawing::small(&one.points, &format!("{}: {said}", one.instrument)),
        said,
    }
}

fn rule_row(rule: Rule, found: &Control, shell: &Shell, words: &Words) -> RuleRow {
    let count = found.points.iter().filter(|point| point.broken.contains(&rule)).count();
    RuleRow {
        state: drawing::shape(rule).called(rule.word()),
        says: words.rule(rule),
        then: if rule.is_warning() { words.then_warn } else { words.then_out },
        count: shell.say.count(i64::try_from(count).unwrap_or(i64::MAX)),
    }
}

fn csv(found: &Control) -> Result<Response, Problem> {
    let head = [
        "at",
        "run",
        "step",
        "order_line",
        "specimen",
        "of",
        "instrument",
        "lot",
        "value",
        "unit",
        "mean",
        "deviation",
        "score",
        "broken",
        "decisions",
    ];
    let rows = found.points.iter().map(|point| {
        let broken: Vec<&str> = point.broken.iter().map(|rule| rule.word()).collect();
        let said: Vec<String> =
            point.said.iter().map(|said| format!("{} {}: {}", said.person, said.what, said.reason)).collect();
        let limits = point.limits;
        [
            point.at.clone(),
            point.run.clone(),
            point.step.clone(),
            point.order_line.clone(),
            point.specimen.clone(),
            point.of.clone(),
            point.instrument.clone(),
            point.lot.clone(),
            point.value.to_string(),
            found.unit.clone(),
            limits.map(|limits| limits.mean.to_string()).unwrap_or_default(),
            limits.map(|limits| limits.deviation.to_string()).unwrap_or_default(),
            point.score.map(|score| score.to_string()).unwrap_or_default(),
            broken.join(" "),
            said.join("; "),
        ]
    });
    list::csv("control-chart", head, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_an_address() {
        assert_eq!(segment("q30_rate"), "q30_rate");
        assert_eq!(segment("a/b c?d#\""), "a%2Fb%20c%3Fd%23%22");
    }

    #[test]
    fn a_metric_of_a_gate_is_charted_of_runs() {
        let wanted = Wanted::default();
        assert_eq!((wanted.source("q30_rate"), wanted.source("depth")), ("orders", "runs"));
    }

    #[test]
    fn a_chart_keeps_what_was_chosen_in_its_address() {
        let wanted = Wanted { source: Some("of:NA 1".into()), baseline: Some("20".into()), ..Wanted::default() };
        assert_eq!(wanted.address("q30").to_string(), "/quality/q30?source=of%3ANA+1&baseline=20");
    }
}
