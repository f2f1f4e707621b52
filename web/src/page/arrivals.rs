//! What arrives: instrument runs with their lanes, shipments with their tubes, and participants with what they agreed to.

mod participant;
mod states;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::specimen::record::{self, Kind};
use kentai_engine::state::{instrument_run, parcel};
use kentai_engine::store::read::RecordFilter;
use kentai_engine::view::center::list::{
    SpecimenLine, instrument_run as one_run, records_back, shipment as one_shipment,
};
use kentai_engine::view::center::{OrderLineView, RecordView};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::stage;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

pub(super) use participant::consented;
use states::{of_run, of_shipment, of_tube, pick};
use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/instrument-runs", get(runs))
        .route("/instrument-runs/{id}", get(run))
        .route("/shipments", get(shipments))
        .route("/shipments/{id}", get(shipment))
        .route("/participants/{program}/{pseudonym}", get(participant::show))
}

/// How a list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    status: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// A line of a list or a table: state, thing, then cells.
struct Row {
    id: String,
    state: Shown,
    href: String,
    thing: String,
    cells: Vec<String>,
    stands: Vec<(String, Shown)>,
    at: String,
}

/// A fact of a page.
struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "arrivals.html")]
struct Arrivals {
    shell: Shell,
    words: &'static Words,
    title: &'static str,
    thing: &'static str,
    heads: Vec<&'static str>,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    empty: &'static str,
    turns: Turns,
}

#[derive(Template)]
#[template(path = "arrival.html")]
struct Arrival {
    shell: Shell,
    words: &'static Words,
    list: (&'static str, &'static str),
    title: String,
    state: Option<Shown>,
    /// What may be done here: where, and what it is called.
    acts: Vec<(String, &'static str)>,
    said: Vec<String>,
    facts: Vec<Fact>,
    section: &'static str,
    thing: &'static str,
    heads: Vec<&'static str>,
    with_stages: bool,
    rows: Vec<Row>,
    empty: &'static str,
}

fn document<T: DeserializeOwned + Default>(record: &RecordView) -> T {
    serde_json::from_value(record.document.clone()).unwrap_or_default()
}

fn stands(lines: &[OrderLineView], language: Language) -> Vec<(String, Shown)> {
    lines.iter().map(|line| (line.assay.clone(), stage::of_line(line, language))).collect()
}

fn filter(kind: Kind, narrow: &Narrow) -> RecordFilter {
    let status = narrow.status.clone().filter(|word| !word.is_empty());
    RecordFilter {
        kind: kind.word().into(),
        status,
        owner: None,
        after: narrow.after.clone(),
        limit: narrow.format.rows(),
    }
}

fn filters(
    address: &Address,
    all: &str,
    words: &[&'static str],
    now: Option<&str>,
    called: impl Fn(&str) -> Shown,
) -> Vec<Filter> {
    let first = Filter::new(address, "status", None, now, all);
    std::iter::once(first)
        .chain(words.iter().map(|word| Filter::new(address, "status", Some(word), now, called(word).word)))
        .collect()
}

fn known(word: Option<&str>, all: &[&'static str]) -> Result<(), Problem> {
    match word.filter(|word| !word.is_empty() && !all.contains(word)) {
        Some(word) => {
            Err(Problem::bad(format!("`{}` is no state here; one of {}", word.escape_debug(), all.join(", "))))
        }
        None => Ok(()),
    }
}

/// `GET /instrument-runs`
async fn runs(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let all: Vec<&'static str> = instrument_run::Status::ALL.iter().map(|status| status.word()).collect();
    known(narrow.status.as_deref(), &all)?;
    let found = records_back(app.engine.reader(), &visit.principal(), filter(Kind::InstrumentRun, &narrow)).await?;
    let language = visit.language();
    let row = |one: &RecordView| {
        let doc: record::InstrumentRun = document(one);
        Row {
            id: one.id.clone(),
            state: of_run(&one.status, language),
            href: path(&["instrument-runs", &one.id]),
            thing: one.id.clone(),
            cells: vec![doc.instrument.clone(), doc.flow_cell.clone(), waits(&doc, language)],
            stands: Vec::new(),
            at: one.updated.clone(),
        }
    };
    if narrow.format == Format::Csv {
        let rows = found.items.iter().map(|one| {
            let doc: record::InstrumentRun = document(one);
            [one.id.clone(), one.status.clone(), doc.instrument, doc.flow_cell, doc.waits, one.updated.clone()]
        });
        return list::csv(
            "instrument-runs",
            ["instrument_run", "status", "instrument", "flow_cell", "waits", "updated"],
            rows,
        );
    }
    let words = Words::of(language);
    let address = Address::new("/instrument-runs").with("status", narrow.status.as_deref());
    let shell = visit.shell(Place::Specimens);
    Ok(page(&Arrivals {
        filters: filters(&address, shell.words.all, &all, narrow.status.as_deref(), |word| of_run(word, language)),
        title: words.instrument_runs,
        thing: words.instrument_run,
        heads: vec![words.instrument, words.flow_cell, words.waits],
        rows: found.items.iter().map(row).collect(),
        empty: words.no_runs,
        turns: Turns::new(&address, narrow.after.as_deref(), found.next.as_deref()),
        shell,
        words,
    }))
}

/// What a folder waits for, or why it failed: as its watcher says it, in the reader's language.
fn waits(doc: &record::InstrumentRun, language: Language) -> String {
    let said = doc.watch.as_ref().map(|state| state.why()).filter(|said| said.en == doc.waits);
    match said {
        Some(said) if language == Language::Ja => said.ja,
        _ => doc.waits.clone(),
    }
}

/// `GET /instrument-runs/{id}`
async fn run(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let found = one_run(app.engine.reader(), &visit.principal(), &id).await?;
    let (language, words) = (visit.language(), Words::of(visit.language()));
    let shell = visit.shell(Place::Specimens);
    let doc: record::InstrumentRun = document(&found.run);
    let lines =
        |id: &str| found.specimens.iter().find(|one| one.specimen.id == id).map(|one| one.order_lines.as_slice());
    let row = |lane: &RecordView| {
        let lane_doc: record::LaneLibrary = document(lane);
        let unknown = lane.specimen.is_empty();
        let counts = match (unknown, lane_doc.counts_toward_order, lane_doc.use_downstream) {
            (true, ..) => (Shape::Needs, "No specimen known", "検体不明"),
            (_, true, true) => (Shape::Passed, "Counts and is used", "算入・使用"),
            (_, true, false) => (Shape::Warned, "Counts, is not used", "算入のみ"),
            (_, false, true) => (Shape::Warned, "Is used, does not count", "使用のみ"),
            (_, false, false) => (Shape::Canceled, "Taken out", "除外"),
        };
        let by = [lane_doc.decided_by.as_str(), lane_doc.reason.as_str()].into_iter().filter(|part| !part.is_empty());
        Row {
            id: lane.id.clone(),
            state: pick(language, counts),
            href: if unknown { String::new() } else { path(&["specimens", &lane.specimen]) },
            thing: if unknown { lane_doc.sample.clone() } else { lane.specimen.clone() },
            cells: vec![
                lane_doc.lane.to_string(),
                lane_doc.sample.clone(),
                shell.say.reads(lane_doc.reads),
                by.collect::<Vec<_>>().join(": "),
            ],
            stands: stands(lines(&lane.specimen).unwrap_or_default(), language),
            at: lane.updated.clone(),
        }
    };
    let mut rows: Vec<_> =
        found.lanes.iter().map(|lane| (document::<record::LaneLibrary>(lane).lane, row(lane))).collect();
    rows.sort_by_key(|(lane, _)| *lane);
    let fact = |label, value: &str| Fact { label, value: value.to_owned() };
    let mut said: Vec<String> = Some(waits(&doc, language)).filter(|waits| !waits.is_empty()).into_iter().collect();
    if !doc.unknown.is_empty() {
        said.push(format!("{}: {}", words.unknown, doc.unknown.join(", ")));
    }
    Ok(page(&Arrival {
        list: ("/instrument-runs", words.instrument_runs),
        title: found.run.id.clone(),
        state: Some(of_run(&found.run.status, language)),
        acts: Vec::new(),
        said,
        facts: [
            fact(words.instrument, &doc.instrument),
            fact(words.flow_cell, &doc.flow_cell),
            fact(words.place, &doc.place),
            fact(words.folder, &doc.folder),
            fact(words.changed, &shell.say.date_time(&found.run.updated)),
        ]
        .into_iter()
        .filter(|fact| !fact.value.is_empty())
        .collect(),
        section: words.lanes,
        thing: words.specimen,
        heads: vec![words.lane, words.sample, words.reads, words.decided],
        with_stages: true,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        empty: words.no_lanes,
        shell,
        words,
    }))
}

/// `GET /shipments`
async fn shipments(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let all: Vec<&'static str> = parcel::Status::ALL.iter().map(|status| status.word()).collect();
    known(narrow.status.as_deref(), &all)?;
    let found = records_back(app.engine.reader(), &visit.principal(), filter(Kind::Shipment, &narrow)).await?;
    let language = visit.language();
    if narrow.format == Format::Csv {
        let rows = found.items.iter().map(|one| {
            let doc: record::Shipment = document(one);
            [
                one.id.clone(),
                one.status.clone(),
                one.institution.clone(),
                doc.tracking,
                one.created.clone(),
                one.updated.clone(),
            ]
        });
        return list::csv("shipments", ["shipment", "status", "institution", "tracking", "announced", "updated"], rows);
    }
    let row = |one: &RecordView| {
        let doc: record::Shipment = document(one);
        Row {
            id: one.id.clone(),
            state: of_shipment(&one.status, language),
            href: path(&["shipments", &one.id]),
            thing: one.id.clone(),
            cells: vec![one.institution.clone(), doc.tracking],
            stands: Vec::new(),
            at: one.updated.clone(),
        }
    };
    let words = Words::of(language);
    let address = Address::new("/shipments").with("status", narrow.status.as_deref());
    let shell = visit.shell(Place::Specimens);
    Ok(page(&Arrivals {
        filters: filters(&address, shell.words.all, &all, narrow.status.as_deref(), |word| of_shipment(word, language)),
        title: words.shipments,
        thing: words.shipment,
        heads: vec![words.institution, words.tracking],
        rows: found.items.iter().map(row).collect(),
        empty: words.no_shipments,
        turns: Turns::new(&address, narrow.after.as_deref(), found.next.as_deref()),
        shell,
        words,
    }))
}

/// `GET /shipments/{id}`
async fn shipment(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let found = one_shipment(app.engine.reader(), &visit.principal(), &id).await?;
    let (language, words) = (visit.language(), Words::of(visit.language()));
    let shell = visit.shell(Place::Specimens);
    let doc: record::Shipment = document(&found.shipment);
    let lines = |id: &str| {
        let ours = |one: &&SpecimenLine| one.specimen.id == id;
        found.specimens.iter().find(ours).map(|one| one.order_lines.as_slice()).unwrap_or_default()
    };
    let row = |item: &RecordView| {
        let tube: record::Item = document(item);
        Row {
            id: item.id.clone(),
            state: of_tube(&item.status, language),
            href: if item.specimen.is_empty() { String::new() } else { path(&["specimens", &item.specimen]) },
            thing: if item.specimen.is_empty() { tube.barcode.clone() } else { item.specimen.clone() },
            cells: vec![tube.barcode, tube.scanned, [tube.condition, tube.note].join(" ").trim().to_owned()],
            stands: stands(lines(&item.specimen), language),
            at: item.updated.clone(),
        }
    };
    let mut facts = vec![Fact { label: words.institution, value: found.shipment.institution.clone() }];
    if !doc.tracking.is_empty() {
        facts.push(Fact { label: words.tracking, value: doc.tracking.clone() });
    }
    facts.push(Fact { label: words.announced, value: shell.say.date_time(&found.shipment.created) });
    facts.push(Fact { label: words.changed, value: shell.say.date_time(&found.shipment.updated) });
    Ok(page(&Arrival {
        list: ("/shipments", words.shipments),
        title: found.shipment.id.clone(),
        state: Some(of_shipment(&found.shipment.status, language)),
        acts: Vec::new(),
        said: Vec::new(),
        facts,
        section: words.tubes,
        thing: words.specimen,
        heads: vec![words.barcode, words.scanned, words.condition],
        with_stages: true,
        rows: found.items.iter().map(row).collect(),
        empty: words.no_tubes,
        shell,
        words,
    }))
}
