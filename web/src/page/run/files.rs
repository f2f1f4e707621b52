//! What a run left and what happened in it: files with their checksums, deliveries, decisions, events; some on the page, all in lists.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use kentai_engine::view::EventView;
use kentai_engine::view::run_sheet::{self, MadeFile, Sheet};
use kentai_workflows::value::Value;
use serde::Deserialize;

use super::words::Words;
use super::{Seen, one, seen};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::address::Address;
use crate::page::list::{self, Format, ROWS, Turns};
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// The section.
pub(super) struct Files {
    pub(super) note: String,
    pub(super) all: String,
    pub(super) rows: Vec<FileRow>,
}

/// One file.
pub(super) struct FileRow {
    pub(super) file: MadeFile,
    pub(super) size: String,
    pub(super) digest: String,
}

/// One hand-off.
pub(super) struct DeliveryRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) step: String,
    pub(super) target: String,
    pub(super) status: String,
    pub(super) files: String,
    pub(super) changed: String,
}

/// One decision.
pub(super) struct DecisionRow {
    pub(super) at: String,
    pub(super) person: String,
    pub(super) step: String,
    pub(super) verdict: String,
    pub(super) reason: String,
}

/// One event.
pub(super) struct EventRow {
    pub(super) n: i64,
    pub(super) at: String,
    pub(super) exact: String,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) actor: String,
    pub(super) body: String,
}

#[derive(Template)]
#[template(path = "run_files.html")]
struct AllFiles {
    shell: Shell,
    words: &'static Words,
    id: String,
    files: Files,
    of_step: Option<String>,
    turns: Turns,
}

#[derive(Template)]
#[template(path = "run_events.html")]
struct AllEvents {
    shell: Shell,
    words: &'static Words,
    id: String,
    topic: String,
    note: String,
    rows: Vec<EventRow>,
    turns: Turns,
}

/// Which files or events, and from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    step: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// The first files of a run.
pub(super) async fn some(app: &App, seen: &Seen, shell: &Shell, limit: i64) -> Result<Files, Problem> {
    files(app, &seen.sheet, shell, (None, None), limit).await
}

async fn files(
    app: &App,
    sheet: &Sheet,
    shell: &Shell,
    (step, after): (Option<&str>, Option<&str>),
    limit: i64,
) -> Result<Files, Problem> {
    let id = &sheet.run.id;
    let found = run_sheet::files(app.engine.reader(), id, step, after, limit).await?;
    let rows: Vec<FileRow> = found
        .into_iter()
        .map(|file| FileRow { size: shell.say.bytes(file.size), digest: shell.say.digest(&file.sha256), file })
        .collect();
    let shown = shell.say.count(i64::try_from(rows.len()).unwrap_or(0));
    let note = if step.is_some() { shown } else { shell.words.of_all(&shown, &shell.say.count(sheet.files)) };
    Ok(Files { note, all: format!("/runs/{id}/files"), rows })
}

/// `GET /runs/{id}/files`
pub(super) async fn list(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(narrow): Asked<Narrow>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let Narrow { step, after, format } = narrow;
    if format == Format::Csv {
        let found =
            run_sheet::files(app.engine.reader(), &id, step.as_deref(), after.as_deref(), format.rows()).await?;
        let rows =
            found.into_iter().map(|file| [file.step, file.output, file.name, file.size.to_string(), file.sha256]);
        return list::csv(&format!("{id}-files"), ["step", "output", "name", "size", "sha256"], rows);
    }
    let seen = seen(&app, &id).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Runs);
    let files = files(&app, &seen.sheet, &shell, (step.as_deref(), after.as_deref()), ROWS).await?;
    let full = i64::try_from(files.rows.len()).is_ok_and(|rows| rows >= ROWS);
    let next = files.rows.last().map(|row| row.file.key.clone()).filter(|_| full);
    let address = Address::new(format!("/runs/{id}/files")).with("step", step.as_deref());
    let turns = Turns::new(&address, after.as_deref(), next.as_deref());
    Ok(page(&AllFiles { id: id.to_string(), files, of_step: step, turns, words, shell }))
}

/// `GET /runs/{id}/events`
pub(super) async fn events(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(narrow): Asked<Narrow>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let Narrow { after, format, .. } = narrow;
    let behind = match after.as_deref() {
        Some(after) => after.parse().map_err(|_| Problem::bad("`after` is the number of an event"))?,
        None => 0,
    };
    let found = run_sheet::since(app.engine.reader(), &id, behind, format.rows()).await?;
    if format == Format::Csv {
        let rows = found.into_iter().map(|event| {
            [event.n.to_string(), event.at, event.kind, event.subject, event.actor, event.body.to_string()]
        });
        return list::csv(&format!("{id}-events"), ["n", "at", "kind", "subject", "actor", "body"], rows);
    }
    let seen = seen(&app, &id).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Runs);
    let full = i64::try_from(found.len()).is_ok_and(|rows| rows >= ROWS);
    let next = found.last().map(|event| event.n.to_string()).filter(|_| full);
    let address = Address::new(format!("/runs/{id}/events"));
    let turns = Turns::new(&address, after.as_deref(), next.as_deref());
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let note = shell.words.of_all(&count(found.len()), &shell.say.count(seen.sheet.events));
    let rows = event_rows(&found, &shell, false);
    Ok(page(&AllEvents { topic: format!("run:{id}"), id: id.to_string(), note, rows, turns, words, shell }))
}

/// `newest_first`: on the run's page; in the list they are told in order.
pub(super) fn event_rows(events: &[EventView], shell: &Shell, newest_first: bool) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = events
        .iter()
        .map(|event| EventRow {
            n: event.n,
            at: format!("{} {}", shell.say.date(&event.at), shell.say.time_exact(&event.at)),
            exact: event.at.clone(),
            kind: event.kind.replace('_', " "),
            subject: event.subject.clone(),
            actor: event.actor.clone(),
            body: body(&event.body),
        })
        .collect();
    if newest_first {
        rows.reverse();
    }
    rows
}

/// Characters of an event's document that a row shows; the CSV has all of it.
const BODY_MAX: usize = 160;

/// `cause: tool, reason: …`
fn body(body: &Value) -> String {
    let text = match body {
        Value::Object(fields) => {
            let told: Vec<String> = fields
                .iter()
                // Lists and documents are told by the rows that they made.
                .filter(|(_, value)| !value.is_null() && !value.is_array() && !value.is_object())
                .map(|(name, value)| match value {
                    Value::String(text) => format!("{name}: {text}"),
                    other => format!("{name}: {other}"),
                })
                .collect();
            told.join(", ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if text.chars().count() <= BODY_MAX {
        return text;
    }
    text.chars().take(BODY_MAX).collect::<String>() + "…"
}

pub(super) fn deliveries(sheet: &Sheet, shell: &Shell) -> Vec<DeliveryRow> {
    let row = |delivery: &kentai_engine::view::DeliveryView| DeliveryRow {
        id: delivery.id.to_string(),
        href: format!("/hand-off/{}", delivery.id),
        step: delivery.step.to_string(),
        target: delivery.target.clone(),
        status: delivery.status.replace('_', " "),
        files: shell.say.count(i64::try_from(delivery.files.len()).unwrap_or(i64::MAX)),
        changed: shell.say.date_time(&delivery.updated),
    };
    sheet.deliveries.iter().map(row).collect()
}

pub(super) fn decisions(sheet: &Sheet, words: &'static Words, shell: &Shell) -> Vec<DecisionRow> {
    let row = |decision: &kentai_engine::view::DecisionView| DecisionRow {
        at: shell.say.date_time(&decision.at),
        person: decision.person.clone(),
        step: decision.step.to_string(),
        verdict: words.way_out(&decision.verdict).0,
        reason: decision.reason.clone(),
    };
    sheet.decisions.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_events_document_is_told_in_one_short_line() {
        assert_eq!(body(&json!({ "cause": "tool", "n": 3, "none": null, "made": [1] })), "cause: tool, n: 3");
        assert_eq!(body(&Value::Null), "");
        assert!(body(&json!({ "x": "y".repeat(1_000) })).chars().count() <= BODY_MAX + 1);
    }
}
