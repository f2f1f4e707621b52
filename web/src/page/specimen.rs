//! One specimen: its story from the shipment to the accession at the data center, one order line at a time, fit to be printed as evidence.

mod acts;
mod chain;
mod chapter;
mod entry;
mod facts;
mod gates;
pub(super) mod text;
mod words;
mod work;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::story::{Story, story};
use kentai_engine::view::center::{self, Inner, OrderLineView, Refused, WhyView, inside};
use kentai_engine::view::{self, RunView, SpecimenDetail};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::markup::Markup;
use super::runs::shown;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::stage;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

use entry::{Entry, Teller, Told};
use facts::Fact;
use text::{Text, path};
use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/specimens/{id}", get(show))
        .route("/specimens/{id}/hold", get(acts::ask).post(acts::hold))
        .route("/specimens/{id}/provenance", get(acts::provenance))
        .route("/specimens/{id}/chain", get(chain::show))
        .route("/specimens/{id}/events", get(chain::list))
}

/// Which order line's story.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    line: Option<String>,
}

/// A link to the story of another order line.
struct Tab {
    href: String,
    label: String,
    state: Shown,
    current: bool,
}

/// A run in a list.
struct RunRow {
    href: String,
    run: RunView,
    state: Shown,
}

#[derive(Template)]
#[template(path = "specimen.html")]
struct Specimen {
    shell: Shell,
    words: &'static Words,
    story: Story,
    lead: String,
    family: String,
    sender_href: String,
    facts: Vec<Fact>,
    tabs: Vec<Tab>,
    entries: Vec<Entry>,
    other_runs: Vec<RunRow>,
    /// Addresses of what may be done; none for those who may not.
    hold: Option<(String, &'static str)>,
    withdraw: Option<String>,
    provenance: Option<String>,
    chain: Option<String>,
    events: String,
    printed: String,
    root: Option<Markup>,
}

/// A specimen that only a sheet knows.
#[derive(Template)]
#[template(path = "specimen_sheet.html")]
struct Sheet {
    shell: Shell,
    words: &'static Words,
    found: SpecimenDetail,
    runs: Vec<RunRow>,
    deliveries: Vec<(String, view::DeliveryView)>,
}

/// `GET /specimens/{id}`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let reader = app.engine.reader();
    let who = visit.principal();
    let story = match story(reader, &who, &id, which.line.as_deref()).await {
        Ok(story) => story,
        // What the center does not know, a sheet may.
        Err(refused @ Refused::NotFound(_)) if which.line.is_none() => return sheet(&app, &visit, &id, refused).await,
        Err(refused) => return Err(refused.into()),
    };
    let why = match &story.line {
        Some(line) => center::why(reader, &who, &line.id, visit.now(), visit.language()).await?,
        None => None,
    };
    let why = why.and_then(|mut all| all.pop());
    let root = if story.outside { None } else { Some(reader.head().await?.1) };
    Ok(page(&told(&visit, story, why.as_ref(), root)))
}

fn told(visit: &Visit, story: Story, why: Option<&WhyView>, root: Option<String>) -> Specimen {
    let shell = visit.shell(Place::Specimens);
    let words = Words::of(visit.language());
    let id = story.known.specimen.id.clone();
    let teller = Teller { story: &story, say: &shell.say, words };
    let lead = facts::lead(&teller, why);
    let facts = facts::facts(&teller);
    let entries = entry::entries(&teller, next(&teller, why));
    let of = |part: &str| path(&["specimens", &id, part]);
    let line = story.line.as_ref().map(|line| line.id.clone()).unwrap_or_default();
    let with_line = |part: &str| format!("{}?line={line}", of(part));
    let open = story.line.as_ref().filter(|line| Stage::parse(&line.stage).is_some_and(|stage| !stage.is_end()));
    let hold = open.filter(|_| !story.outside).and_then(|line| {
        let (action, label) =
            if line.held.is_some() { (Action::Resume, words.resume_act) } else { (Action::Hold, words.hold_act) };
        visit.may(action).then(|| (with_line("hold"), label))
    });
    let withdraw = story.known.participant.as_ref().filter(|one| !story.outside && one.consent != "withdrawn");
    let withdraw = withdraw.filter(|_| visit.may(Action::Withdraw));
    let withdraw = withdraw.map(|one| super::withdrawals::record::href(&one.program, &one.pseudonym));
    let tabs = tabs(&story, visit.language());
    let family =
        story.known.participant.as_ref().map(|one| one.document["family"].as_str().unwrap_or_default().to_owned());
    let root = root.map(|root| text::digest(&shell.say, &root));
    Specimen {
        lead,
        facts,
        entries,
        tabs,
        hold,
        withdraw,
        family: family.unwrap_or_default(),
        sender_href: super::address::Address::new("/specimens")
            .with("institution", Some(&story.known.specimen.institution))
            .to_string(),
        provenance: (!story.runs.is_empty()).then(|| with_line("provenance")),
        chain: (!story.outside).then(|| of("chain")),
        events: of("events"),
        other_runs: run_rows(story.other_runs.clone(), visit.language()),
        printed: shell.say.moment(),
        root,
        words,
        story,
        shell,
    }
}

fn run_rows(runs: Vec<RunView>, language: Language) -> Vec<RunRow> {
    let row = |run: RunView| RunRow { href: path(&["runs", run.id.as_str()]), state: shown(run.status, language), run };
    runs.into_iter().map(row).collect()
}

fn tabs(story: &Story, language: Language) -> Vec<Tab> {
    if story.known.order_lines.len() < 2 {
        return Vec::new();
    }
    let current = story.line.as_ref().map(|line| line.id.as_str());
    let tab = |line: &OrderLineView| Tab {
        href: format!("{}?line={}", path(&["specimens", &line.specimen]), line.id),
        label: line.assay.clone(),
        state: stage::of_line(line, language),
        current: current == Some(&line.id),
    };
    story.known.order_lines.iter().map(tab).collect()
}

/// What comes next, and who must see to it; nothing after an end.
fn next(teller: &Teller<'_>, why: Option<&WhyView>) -> Option<Entry> {
    let line = teller.story.line.as_ref().filter(|_| teller.inside())?;
    let stage = Stage::parse(&line.stage)?;
    let following = following(stage)?;
    let say = teller.say;
    let mut told = Told { note: teller.words.next.to_owned(), shape: Some(Shape::Waiting), ..Told::default() };
    told.says(Text::new(&match (stage, why) {
        (Stage::Acknowledged, _) => say.pick(
            "Local data goes when the center's rules let it go, and no hold or withdrawal stands against it."
                .to_owned(),
            "保存規則に従い、保留や同意撤回がなければ手元のデータを削除。".to_owned(),
        ),
        (_, Some(why)) => why.said.clone(),
        (_, None) => String::new(),
    }));
    let mut margin = Vec::new();
    let due = line.expected.as_ref().map(|expected| expected.due.as_str());
    if let Some(due) = due {
        let at = say.date_time(due);
        margin.push(Text::new(&say.pick(format!("expected by {at}"), format!("{at}までの見込み"))).done());
    }
    Some(Entry {
        id: "next".into(),
        at: due.unwrap_or_default().to_owned(),
        date: due.map(|due| say.date(due)).unwrap_or_default(),
        time: String::new(),
        heading: stage::name(following, teller.language()),
        rail: "next",
        mark: Shape::Waiting.svg(),
        told,
        margin,
    })
}

/// The stage after this one when all goes well.
fn following(stage: Stage) -> Option<Stage> {
    Some(match stage {
        Stage::Expected | Stage::AwaitingMaterial => Stage::Received,
        Stage::Received => Stage::Accessioned,
        Stage::Accessioned => Stage::InLab,
        Stage::InLab => Stage::Sequencing,
        Stage::Sequencing | Stage::AwaitingTopUp => Stage::Sequenced,
        Stage::Sequenced | Stage::SequenceQcFailed => Stage::Ready,
        Stage::Ready => Stage::Analyzing,
        Stage::Analyzing | Stage::AnalysisFailed | Stage::AnalysisQcFailed => Stage::ReleaseReview,
        Stage::ReleaseReview => Stage::Released,
        Stage::Released | Stage::Refused | Stage::Recalled => Stage::Offered,
        Stage::Offered => Stage::Delivered,
        Stage::Delivered => Stage::Acknowledged,
        Stage::Acknowledged => Stage::Archived,
        Stage::Rejected | Stage::Archived | Stage::ClosedFailed | Stage::Withdrawn | Stage::Canceled => return None,
    })
}

async fn sheet(app: &App, visit: &Visit, id: &str, refused: Refused) -> Result<Response, Problem> {
    let reader = app.engine.reader();
    // To somebody from outside what is foreign and what is not there are one thing: the view says so.
    inside(reader, &visit.principal(), Inner::Specimen, Some(id)).await?;
    let Some(found) = view::specimen(reader, id).await? else { return Err(refused.into()) };
    let language = visit.language();
    let runs = run_rows(found.runs.clone(), language);
    let deliveries = found.deliveries.iter().map(|one| (path(&["hand-off", one.id.as_str()]), one.clone())).collect();
    Ok(page(&Sheet { shell: visit.shell(Place::Specimens), words: Words::of(language), found, runs, deliveries }))
}
