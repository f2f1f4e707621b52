//! The list of runs, newest first.

mod words;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kentai_engine::store::read::RunFilter;
use kentai_engine::view::center::{Inner, inside};
use kentai_engine::view::{self, RunView, State as RunState};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    status: Option<String>,
    specimen: Option<String>,
    submission: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct Runs {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
}

/// One run, and how its state is shown.
struct Row {
    state: Shown,
    run: RunView,
}

/// `GET /runs`
pub(super) async fn list(
    State(app): State<App>,
    visit: Visit,
    Asked(narrow): Asked<Narrow>,
) -> Result<Response, Problem> {
    inside(app.engine.reader(), &visit.principal(), Inner::Run, None).await?;
    let Narrow { status, specimen, submission, after, format } = narrow;
    if let Some(word) = status.as_deref().filter(|word| RunState::parse(word).is_none()) {
        return Err(Problem::bad(format!("`{}` is no state of a run", word.escape_debug())));
    }
    let filter = RunFilter {
        status: status.clone(),
        specimen: specimen.clone(),
        submission: submission.clone(),
        after: after.clone(),
        limit: format.rows(),
    };
    let found = view::runs(app.engine.reader(), &filter).await?;
    if format == Format::Csv {
        let rows = found.items.into_iter().map(|run| {
            let RunView { id, specimen, workflow, version, status, created, updated, reason, .. } = run;
            [
                id.to_string(),
                status.to_string(),
                specimen,
                workflow,
                version,
                created,
                updated,
                reason.unwrap_or_default(),
            ]
        });
        let head = ["run", "status", "specimen", "workflow", "version", "created", "updated", "reason"];
        return list::csv("runs", head, rows);
    }
    let shell = visit.shell(Place::Runs);
    let words = Words::of(visit.language());
    let address = Address::new("/runs").with("status", status.as_deref()).with("specimen", specimen.as_deref());
    let address = address.with("submission", submission.as_deref());
    let by = |value: Option<RunState>, label: &str| {
        Filter::new(&address, "status", value.map(RunState::word), status.as_deref(), label)
    };
    let filters = std::iter::once(by(None, shell.words.all))
        .chain(RunState::ALL.iter().map(|state| by(Some(*state), &shown(*state, visit.language()).word)))
        .collect();
    let turns = Turns::new(&address, after.as_deref(), found.next.as_deref());
    let rows = found.items.into_iter().map(|run| Row { state: shown(run.status, visit.language()), run }).collect();
    Ok(page(&Runs { shell, words, filters, rows, turns }))
}

/// A run's state as the page shows it.
pub(super) fn shown(state: RunState, language: Language) -> Shown {
    let (shape, en, ja) = match state {
        RunState::Queued => (Shape::Waiting, "Queued", "実行待ち"),
        RunState::Running => (Shape::Running, "Running", "実行中"),
        RunState::WaitsForPerson => (Shape::Needs, "Needs a person", "要対応"),
        RunState::Held => (Shape::Waiting, "Held", "保留中"),
        RunState::Succeeded => (Shape::Passed, "Succeeded", "完了"),
        RunState::Failed => (Shape::Failed, "Failed", "失敗"),
        RunState::Canceled => (Shape::Canceled, "Canceled", "取消"),
    };
    shape.called(match language {
        Language::En => en,
        Language::Ja => ja,
    })
}
