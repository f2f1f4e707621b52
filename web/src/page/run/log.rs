//! The log of one attempt: its end or any part of it, following the tool while it writes, and whole as a file.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kentai_engine::id::RunId;
use kentai_engine::store::rows;
use kentai_engine::view::log::{CHUNK_BYTES_MAX, LogChunk, choose, read_log, read_tail};
use kentai_engine::view::run_sheet::{self, Bar};
use serde::Deserialize;

use super::text::plain;
use super::words::Words;
use super::{one, url};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::shape::{Shape, State as Shown};
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Bytes that the page shows at once: it stays within 150 kB, markup included.
const PIECE_BYTES: u64 = 64 << 10;
/// Where the next piece begins.
const NEXT: HeaderName = HeaderName::from_static("kentai-log-next");
/// `true`: nothing will follow.
const FINAL: HeaderName = HeaderName::from_static("kentai-log-final");

/// Which log, and from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    step: Option<String>,
    attempt: Option<String>,
    offset: Option<u64>,
}

#[derive(Template)]
#[template(path = "run_log.html")]
struct Log {
    shell: Shell,
    words: &'static Words,
    id: String,
    step: String,
    state: Option<Shown>,
    note: String,
    attempts: Vec<(String, String, bool)>,
    text: String,
    /// Where the script goes on, and whether something will follow.
    part: String,
    next: u64,
    is_final: bool,
    older: Option<String>,
    newer: Option<String>,
    whole: String,
    end: String,
    file: String,
}

/// The attempt that is meant; none when nothing was tried.
async fn chosen(app: &App, id: &RunId, wish: &Wish) -> Result<Option<(Vec<rows::Attempt>, rows::Attempt)>, Problem> {
    let reader = app.engine.reader();
    let step = match &wish.step {
        Some(step) => step.clone(),
        // What failed comes first, then what runs.
        None => match run_sheet::tasks(reader, id, (None, None), None, 50)
            .await?
            .into_iter()
            .find(|task| task.bar.is_some())
        {
            Some(task) => task.step.key.to_string(),
            None => return Ok(None),
        },
    };
    let attempts = reader.step_attempts(id.as_str(), &step).await?;
    if attempts.is_empty()
        && wish.attempt.is_none()
        && !reader.steps_named(id.as_str(), std::slice::from_ref(&step)).await?.is_empty()
    {
        return Ok(None);
    }
    let found = choose(&attempts, Some(&step), wish.attempt.as_deref())
        .map_err(|unclear| Problem::not_found(unclear.to_string()))?;
    let found = found.clone();
    Ok(Some((attempts, found)))
}

async fn piece(app: &App, attempt: &rows::Attempt, offset: u64, max: u64) -> Result<LogChunk, Problem> {
    let (directory, attempt) = (app.engine.options().directory.clone(), attempt.clone());
    let read = tokio::task::spawn_blocking(move || read_log(&directory, &attempt, offset, max));
    read.await.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))
}

/// The end of a log.
async fn end(app: &App, attempt: &rows::Attempt) -> Result<LogChunk, Problem> {
    let (directory, attempt) = (app.engine.options().directory.clone(), attempt.clone());
    let read = tokio::task::spawn_blocking(move || read_tail(&directory, &attempt, PIECE_BYTES));
    read.await.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))
}

/// `GET /runs/{id}/log`
pub(super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Runs);
    let Some((attempts, attempt)) = chosen(&app, &id, &wish).await? else {
        return Ok(page(&nothing(&id, wish.step.unwrap_or_default(), (shell, words))));
    };
    let chunk = match wish.offset {
        Some(offset) => piece(&app, &attempt, offset, PIECE_BYTES).await?,
        None => end(&app, &attempt).await?,
    };
    let offset = chunk.next.saturating_sub(u64::try_from(chunk.bytes.len()).unwrap_or(0));
    let query = format!("step={}&attempt={}", url(attempt.step_key.as_str()), url(attempt.attempt_id.as_str()));
    let here = format!("/runs/{id}/log");
    let at = |offset: u64| format!("{here}?{query}&offset={offset}");
    let bar = Bar::of(&attempt);
    let (shape, word) = state(&bar, words);
    let exit = bar.attempt.exit_code.map(|code| format!("{} {code}", words.exit)).unwrap_or_default();
    let follows = if chunk.is_final { words.ended_log } else { words.follows };
    let parts = [bar.attempt.executor.clone(), exit, shell.say.bytes(chunk.next), follows.to_owned()];
    let note = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(words.pick(", ", "・"));
    Ok(page(&Log {
        id: id.to_string(),
        step: attempt.step_key.to_string(),
        state: Some(shape.called(word)),
        note,
        attempts: attempts.iter().map(|one| tab(&here, one, &attempt, words)).collect(),
        text: plain(&chunk.bytes),
        part: format!("{here}/part?{query}"),
        next: chunk.next,
        is_final: chunk.is_final,
        older: (offset > 0).then(|| at(offset.saturating_sub(PIECE_BYTES))),
        newer: (!chunk.is_final).then(|| at(chunk.next)),
        whole: at(0),
        end: format!("{here}?{query}"),
        file: format!("{here}/file?{query}"),
        words,
        shell,
    }))
}

fn nothing(id: &RunId, step: String, (shell, words): (Shell, &'static Words)) -> Log {
    Log {
        id: id.to_string(),
        step,
        state: None,
        note: words.nothing_yet.to_owned(),
        attempts: Vec::new(),
        text: String::new(),
        part: String::new(),
        next: 0,
        is_final: true,
        older: None,
        newer: None,
        whole: String::new(),
        end: String::new(),
        file: String::new(),
        words,
        shell,
    }
}

fn tab(here: &str, one: &rows::Attempt, now: &rows::Attempt, words: &'static Words) -> (String, String, bool) {
    let (step, attempt) = (url(one.step_key.as_str()), url(one.attempt_id.as_str()));
    let label = match one.round {
        0 => format!("{} {}", words.attempt, one.number),
        round => words.pick(
            format!("Attempt {}, round {}", one.number, round + 1),
            format!("試行{}（{}巡目）", one.number, round + 1),
        ),
    };
    (format!("{here}?step={step}&attempt={attempt}"), label, one.attempt_id == now.attempt_id)
}

fn state(bar: &Bar, words: &'static Words) -> (Shape, String) {
    let attempt = &bar.attempt;
    match attempt.status.as_str() {
        "committed" => (Shape::Passed, words.pick("Passed", "合格").to_owned()),
        "failed" | "quarantined" => {
            let cause = attempt.cause.as_deref().map(|cause| words.cause_of(cause)).unwrap_or_default();
            (Shape::Failed, words.pick(format!("Failed: {cause}"), format!("失敗：{cause}")))
        }
        "canceled" => (Shape::Canceled, words.pick("Canceled", "取消").to_owned()),
        "planned" | "claimed" => (Shape::Waiting, words.pick("Waiting", "待機中").to_owned()),
        _ => (Shape::Running, words.pick("Running", "実行中").to_owned()),
    }
}

/// `GET /runs/{id}/log/part`: what came since, for the script that follows.
pub(super) async fn part(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let (_, attempt) = chosen(&app, &id, &wish).await?.ok_or_else(|| Problem::not_found("nothing was tried yet"))?;
    let chunk = piece(&app, &attempt, wish.offset.unwrap_or(0), PIECE_BYTES).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (NEXT, chunk.next.to_string()),
        (FINAL, chunk.is_final.to_string()),
    ];
    Ok((headers, plain(&chunk.bytes)).into_response())
}

/// `GET /runs/{id}/log/file`: all of it, byte for byte; of one that grows, what there is now.
pub(super) async fn download(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let (_, attempt) = chosen(&app, &id, &wish).await?.ok_or_else(|| Problem::not_found("nothing was tried yet"))?;
    // The first piece is read before anything is said: a log that cannot be read is a problem, not an empty file.
    let first = piece(&app, &attempt, 0, CHUNK_BYTES_MAX).await?;
    let name = format!("{}.log", attempt.attempt_id);
    let pieces = stream::unfold((app, attempt, Some(first)), |(app, attempt, chunk)| async move {
        let chunk = chunk.filter(|chunk| !chunk.bytes.is_empty())?;
        let next = piece(&app, &attempt, chunk.next, CHUNK_BYTES_MAX).await.ok();
        Some((Ok::<_, std::io::Error>(Bytes::from(chunk.bytes)), (app, attempt, next)))
    });
    let mut response =
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(pieces)).into_response();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
