//! Lists of specimens and of order lines: narrowed in the address, by key, and as CSV.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::specimen::record::Kind;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::list::{LineWish, SpecimenLine, SpecimenWish, choices, lines, specimens};
use kentai_engine::view::center::{self, Inner, OrderLineView, inside};
use kentai_engine::view::{self, Page};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shape::State as Shown;
use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::stage;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/specimens", get(all))
        .route("/order-lines", get(orders))
        .route("/order-lines/{id}", get(order))
}

/// How specimens are narrowed. `known=sheets`: those that only sheets know.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    stage: Option<String>,
    institution: Option<String>,
    program: Option<String>,
    #[serde(default)]
    begins: String,
    known: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// A line of one of the lists.
struct Row {
    href: String,
    id: String,
    /// Of a list of order lines.
    line: String,
    barcode: String,
    institution: String,
    program: String,
    /// Assay and where it stands.
    stands: Vec<(String, Shown)>,
    held: String,
    owner: String,
    /// When it is due, and since when it is late, if it is.
    due: String,
    over: Option<String>,
    at: String,
}

/// A choice of a form.
struct Choice {
    value: String,
    label: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "specimens.html")]
struct Specimens {
    shell: Shell,
    words: &'static Words,
    title: &'static str,
    order: &'static str,
    of_lines: bool,
    filters: Vec<Filter>,
    stages: Vec<Choice>,
    institutions: Vec<Choice>,
    programs: Vec<Choice>,
    begins: String,
    action: &'static str,
    kept: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    empty: &'static str,
    turns: Turns,
    outside: bool,
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn stages(now: Option<&str>, language: Language) -> Vec<Choice> {
    let choice = |stage: &Stage| Choice {
        value: stage.word().to_owned(),
        label: stage::name(*stage, language).to_owned(),
        current: now == Some(stage.word()),
    };
    Stage::ALL.iter().map(choice).collect()
}

async fn chosen(app: &App, visit: &Visit, kind: Kind, now: Option<&str>) -> Result<Vec<Choice>, Problem> {
    let all = choices(app.engine.reader(), &visit.principal(), kind).await?;
    let choice = |(id, name): (String, String)| Choice {
        current: now == Some(id.as_str()),
        label: if name.is_empty() { id.clone() } else { format!("{id} {name}") },
        value: id,
    };
    Ok(all.into_iter().map(choice).collect())
}

fn row(specimen: &SpecimenLine, language: Language) -> Row {
    let record = &specimen.specimen;
    let text = |key: &str| record.document[key].as_str().unwrap_or_default().to_owned();
    Row {
        href: path(&["specimens", &record.id]),
        id: record.id.clone(),
        line: String::new(),
        barcode: text("barcode"),
        institution: record.institution.clone(),
        program: text("program"),
        stands: specimen.order_lines.iter().map(|line| (line.assay.clone(), stage::of_line(line, language))).collect(),
        held: String::new(),
        owner: String::new(),
        due: String::new(),
        over: None,
        at: record.updated.clone(),
    }
}

/// `GET /specimens`
async fn all(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let Narrow { stage, institution, program, begins, known, after, format } = narrow;
    if known.as_deref() == Some("sheets") {
        return sheets(&app, &visit, after, format).await;
    }
    let (stage, institution, program) = (given(stage), given(institution), given(program));
    let begins = begins.trim().to_ascii_uppercase();
    let wish = SpecimenWish {
        stage: stage.clone(),
        institution: institution.clone(),
        program: program.clone(),
        begins: begins.clone(),
        after: after.clone(),
        limit: format.rows(),
    };
    let found = specimens(app.engine.reader(), &visit.principal(), wish).await?;
    let language = visit.language();
    if format == Format::Csv {
        return csv_of_specimens(found, language);
    }
    let address = Address::new("/specimens")
        .with("stage", stage.as_deref())
        .with("institution", institution.as_deref())
        .with("program", program.as_deref())
        .with("begins", Some(&begins));
    let words = Words::of(language);
    let outside = visit.who.institution.is_some() || visit.who.data_center.is_some();
    let mut filters = vec![Filter { current: true, ..Filter::new(&address, "known", None, None, words.known_here) }];
    if !outside {
        filters.push(Filter::new(&Address::new("/specimens"), "known", Some("sheets"), None, words.known_to_sheets));
        filters.push(Filter::new(&Address::new("/order-lines"), "stage", None, Some("-"), words.order_lines));
    }
    Ok(page(&Specimens {
        shell: visit.shell(Place::Specimens),
        words,
        title: words.specimens,
        order: words.by_id,
        of_lines: false,
        filters,
        stages: if outside { Vec::new() } else { stages(stage.as_deref(), language) },
        institutions: chosen(&app, &visit, Kind::Institution, institution.as_deref()).await?,
        programs: chosen(&app, &visit, Kind::Program, program.as_deref()).await?,
        begins,
        action: "/specimens",
        kept: Vec::new(),
        rows: found.items.iter().map(|line| row(line, language)).collect(),
        empty: words.no_specimens,
        turns: Turns::new(&address, after.as_deref(), found.next.as_deref()),
        outside,
    }))
}

fn csv_of_specimens(found: Page<SpecimenLine>, language: Language) -> Result<Response, Problem> {
    let rows = found.items.into_iter().map(|line| {
        let told = row(&line, language);
        let stages: Vec<String> = line.order_lines.iter().map(|one| format!("{} {}", one.assay, one.stage)).collect();
        [told.id, told.barcode, told.institution, told.program, stages.join("; "), told.at]
    });
    list::csv("specimens", ["specimen", "barcode", "institution", "program", "order_lines", "updated"], rows)
}

async fn sheets(app: &App, visit: &Visit, after: Option<String>, format: Format) -> Result<Response, Problem> {
    let reader = app.engine.reader();
    inside(reader, &visit.principal(), Inner::Specimen, None).await?;
    let found = view::specimens(reader, after.as_deref(), format.rows()).await?;
    if format == Format::Csv {
        let rows =
            found.items.into_iter().map(|one| [one.id, one.barcode.unwrap_or_default(), one.source, one.updated]);
        return list::csv("specimens", ["specimen", "barcode", "sheet", "updated"], rows);
    }
    let address = Address::new("/specimens").with("known", Some("sheets"));
    let words = Words::of(visit.language());
    let rows = found.items.iter().map(|one| Row {
        href: path(&["specimens", &one.id]),
        id: one.id.clone(),
        line: String::new(),
        barcode: one.barcode.clone().unwrap_or_default(),
        institution: one.source.clone(),
        program: one.participant.clone().unwrap_or_default(),
        stands: Vec::new(),
        held: String::new(),
        owner: String::new(),
        due: String::new(),
        over: None,
        at: one.updated.clone(),
    });
    let filters = vec![
        Filter::new(&Address::new("/specimens"), "known", None, Some("sheets"), words.known_here),
        Filter {
            current: true,
            ..Filter::new(&address, "known", Some("sheets"), Some("sheets"), words.known_to_sheets)
        },
        Filter::new(&Address::new("/order-lines"), "stage", None, Some("-"), words.order_lines),
    ];
    Ok(page(&Specimens {
        rows: rows.collect(),
        shell: visit.shell(Place::Specimens),
        words,
        title: words.specimens,
        order: words.by_id,
        of_lines: false,
        filters,
        stages: Vec::new(),
        institutions: Vec::new(),
        programs: Vec::new(),
        begins: String::new(),
        action: "/specimens",
        kept: Vec::new(),
        empty: words.no_sheets,
        turns: Turns::new(&address, after.as_deref(), found.next.as_deref()),
        outside: false,
    }))
}

/// How order lines are narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    stage: Option<String>,
    institution: Option<String>,
    assay: Option<String>,
    #[serde(default)]
    stuck: u8,
    #[serde(default)]
    late: u8,
    #[serde(default)]
    soon: u8,
    /// Late, due soon or stuck.
    #[serde(default)]
    trouble: u8,
    #[serde(default)]
    held: u8,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

fn line_row(line: &OrderLineView, shell: &Shell) -> Row {
    let language = shell.language();
    let lapsed =
        line.expected.as_ref().filter(|expected| shell.say.seconds_since(&expected.due).is_some_and(|over| over > 0));
    Row {
        href: format!("{}?line={}", path(&["specimens", &line.specimen]), line.id),
        id: line.specimen.clone(),
        line: line.id.clone(),
        barcode: String::new(),
        institution: line.institution.clone(),
        program: line.program.clone(),
        stands: vec![(line.assay.clone(), stage::of_line(line, language))],
        held: line.held.as_ref().map(|held| format!("{}: {}", held.by, held.reason)).unwrap_or_default(),
        owner: line.expected.as_ref().map(|expected| shell.words.role(&expected.owner).to_owned()).unwrap_or_default(),
        due: line.due.clone(),
        over: lapsed.map(|expected| shell.say.age(&expected.due)),
        at: line.updated.clone(),
    }
}

/// `GET /order-lines`
async fn orders(State(app): State<App>, visit: Visit, Asked(asked): Asked<Lines>) -> Result<Response, Problem> {
    let Lines { stage, institution, assay, stuck, late, soon, trouble, held, after, format } = asked;
    let (stage, institution, assay) = (given(stage), given(institution), given(assay));
    let wish = LineWish {
        stage: stage.clone(),
        institution: institution.clone(),
        assay: assay.clone(),
        stuck: stuck == 1,
        late: late == 1,
        soon: soon == 1,
        trouble: trouble == 1,
        held: held == 1,
        after: after.clone(),
        limit: format.rows(),
    };
    let found = lines(app.engine.reader(), &visit.principal(), wish, visit.now()).await?;
    if format == Format::Csv {
        return csv_of_lines(found);
    }
    let flag = |set: u8| (set == 1).then_some("1");
    let address = Address::new("/order-lines")
        .with("stage", stage.as_deref())
        .with("institution", institution.as_deref())
        .with("assay", assay.as_deref())
        .with("stuck", flag(stuck))
        .with("late", flag(late))
        .with("soon", flag(soon))
        .with("trouble", flag(trouble))
        .with("held", flag(held));
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Specimens);
    let outside = visit.who.institution.is_some() || visit.who.data_center.is_some();
    let flags = [
        ("trouble", trouble, words.trouble),
        ("late", late, words.late),
        ("stuck", stuck, words.stuck),
        ("soon", soon, words.soon),
        ("held", held, words.held),
    ];
    let any = flags.iter().any(|(_, set, _)| *set == 1);
    let none = flags.iter().fold(address.clone(), |list, (name, ..)| list.with(name, None));
    let mut filters = vec![Filter { current: !any, ..Filter::new(&none, "stuck", None, None, shell.words.all) }];
    if !outside {
        for (name, set, label) in flags {
            filters.push(Filter { current: set == 1, ..Filter::new(&none, name, Some("1"), None, label) });
        }
    }
    let kept = flags.into_iter().filter(|(_, set, _)| *set == 1);
    Ok(page(&Specimens {
        rows: found.items.iter().map(|line| line_row(line, &shell)).collect(),
        title: words.order_lines,
        order: match (trouble, stuck == 1 || late == 1 || soon == 1) {
            (1, _) => words.worst_first,
            (_, true) => words.longest_first,
            _ => words.by_id,
        },
        of_lines: true,
        filters,
        stages: if outside { Vec::new() } else { stages(stage.as_deref(), visit.language()) },
        institutions: chosen(&app, &visit, Kind::Institution, institution.as_deref()).await?,
        programs: Vec::new(),
        begins: assay.unwrap_or_default(),
        action: "/order-lines",
        kept: kept.map(|(name, ..)| (name, "1".to_owned())).collect(),
        empty: words.no_lines,
        turns: Turns::new(&address, after.as_deref(), found.next.as_deref()),
        outside,
        shell,
        words,
    }))
}

fn csv_of_lines(found: Page<OrderLineView>) -> Result<Response, Problem> {
    let rows = found.items.into_iter().map(|line| {
        let held = line.held.map(|held| format!("{}: {}", held.by, held.reason)).unwrap_or_default();
        let (owner, by) = line.expected.map(|expected| (expected.owner, expected.due)).unwrap_or_default();
        [
            line.id,
            line.specimen,
            line.institution,
            line.program,
            line.assay,
            line.stage,
            line.priority,
            held,
            owner,
            by,
            line.due,
        ]
    });
    let head = [
        "order_line",
        "specimen",
        "institution",
        "program",
        "assay",
        "stage",
        "priority",
        "held",
        "owner",
        "expected_by",
        "due",
    ];
    list::csv("order-lines", head, rows)
}

/// `GET /order-lines/{id}`: its story is its specimen's.
async fn order(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let line = center::order_line(app.engine.reader(), &visit.principal(), &id).await?;
    let to = format!("{}?line={}", path(&["specimens", &line.specimen]), line.id);
    Ok(Redirect::to(&to).into_response())
}
