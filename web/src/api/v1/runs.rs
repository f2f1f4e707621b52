//! Runs: lists by key, and one with everything about it.

use axum::Json;
use axum::extract::State;
use kentai_engine::store::read::RunFilter;
use kentai_engine::view::{self, Page, RunDetail, RunView};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun, limit};
use crate::openapi::{Description, Operation};

/// How to narrow the list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Where they stand.
    #[schemars(with = "Option<view::State>")]
    status: Option<String>,
    /// Of this specimen.
    specimen: Option<String>,
    /// Of this submission.
    submission: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<i64>,
    /// `next` of an earlier answer.
    after: Option<String>,
}

/// The operations about runs.
pub(super) fn describe(to: &mut Description) {
    to.noun(
        "runs",
        "A run is one execution of a workflow over one specimen: its steps, its history, and what people ask of it.",
    );
    to.get("/runs", "listRuns", "Runs, newest first").asks::<Filter>().gives::<Page<RunView>>("A page of runs.");
    of_one(to.get("/runs/{id}", "getRun", "One run with everything about it but its events"))
        .says("Steps, attempts, decisions, deliveries and measurements.")
        .gives::<RunDetail>("The run.");
    super::events::describe(to);
    super::why::describe(to);
    super::logs::describe(to);
    super::provenance::describe(to);
    super::requests::describe(to);
}

/// What each operation about one run has.
pub(super) fn of_one(operation: Operation<'_>) -> Operation<'_> {
    // Several runs may begin so.
    operation.names("id", "The run: its id, or the beginning of it while that is clear.").refuses(&[404, 409])
}

/// `GET /runs`
pub(super) async fn list(State(app): State<App>, Asked(filter): Asked<Filter>) -> Result<Json<Page<RunView>>, Problem> {
    let unknown = filter.status.as_deref().filter(|word| view::State::parse(word).is_none());
    if let Some(word) = unknown {
        let words: Vec<&str> = view::State::ALL.iter().map(|state| state.word()).collect();
        return Err(Problem::bad(format!("`{}` is no status; one of {}", word.escape_debug(), words.join(", "))));
    }
    let filter = RunFilter {
        status: filter.status,
        specimen: filter.specimen,
        submission: filter.submission,
        after: filter.after,
        limit: limit(filter.limit)?,
    };
    Ok(Json(view::runs(app.engine.reader(), &filter).await?))
}

/// `GET /runs/{id}`
pub(super) async fn show(State(app): State<App>, ThisRun(id): ThisRun) -> Result<Json<RunDetail>, Problem> {
    let run = view::run(app.engine.reader(), &id).await?;
    run.map(Json).ok_or_else(|| Problem::not_found(format!("there is no run `{id}`")))
}
