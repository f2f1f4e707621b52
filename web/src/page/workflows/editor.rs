//! The editor: a text area whose text is checked as a submission would be, by a button or while typing pauses; registered by another.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::handle::{Definition, Refusal};
use kentai_workflows::diagnostic::{Diagnostic, Severity};
use serde::Deserialize;

use super::words::Words;
use super::{insider, named, notes, text};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::form::Posted;
use crate::page::run::source::Note;
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// What a new text begins with.
const BEGINNING: &str = "kentai: 1
workflow: my_workflow
version: \"1\"
steps:
  hello:
    outputs: { out: { path: out.txt } }
    script: |
      echo \"hello\" > \"$out_out\"
";

#[derive(Template)]
#[template(path = "editor.html")]
struct Editor {
    shell: Shell,
    words: &'static Words,
    path: String,
    source: String,
    found: Found,
    wrong: Option<String>,
    may_register: bool,
}

/// What is wrong with the text.
#[derive(Template)]
#[template(path = "editor_found.html")]
struct Found {
    words: &'static Words,
    said: String,
    notes: Vec<Note>,
}

/// From which workflow to begin.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    from: Option<String>,
}

/// What a form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    path: String,
    #[serde(default)]
    source: String,
    /// `check` or `register`.
    #[serde(default, rename = "do")]
    act: String,
}

/// `GET /editor`
pub(super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Asked(start): Asked<Start>,
) -> Result<Response, Problem> {
    insider(&visit)?;
    let (path, source) = match start.from {
        Some(name) => {
            let (one, _) = named(&app, &name).await?;
            let (row, _) = text(&app, &one.digest).await?;
            (row.path.clone(), row.source.clone())
        }
        None => ("my_workflow.yaml".to_owned(), BEGINNING.to_owned()),
    };
    let found = checked(&app, &visit, &path, &source).await?;
    Ok(editor(&visit, (path, source), found, None))
}

/// `POST /editor`: checks, or registers what has no mistake.
pub(super) async fn send(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    insider(&visit)?;
    let (path, source) = (named_file(&typed.path), lines_ended(&typed.source));
    if typed.act != "register" {
        let found = checked(&app, &visit, &path, &source).await?;
        return Ok(editor(&visit, (path, source), found, None));
    }
    let definition = Definition { called: called(&app, &source).await?, path: path.clone(), source: source.clone() };
    let (found, wrong) = match app.engine.register(&definition, &visit.who).await {
        Ok(digest) => return Ok(Redirect::to(&format!("/workflows/{digest}")).into_response()),
        Err(Refusal::Check { diagnostics, .. }) => (told(&diagnostics, &path, &visit), None),
        Err(Refusal::NotAllowed(said) | Refusal::State(said) | Refusal::Bad(said)) => {
            (checked(&app, &visit, &path, &source).await?, Some(said))
        }
        Err(other) => return Err(other.into()),
    };
    let mut response = editor(&visit, (path, source), found, wrong);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// `POST /editor/found`: what is wrong, for the script that asks while typing pauses.
pub(super) async fn found(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    insider(&visit)?;
    let found = checked(&app, &visit, &named_file(&typed.path), &lines_ended(&typed.source)).await?;
    Ok(page(&found))
}

fn editor(visit: &Visit, (path, source): (String, String), found: Found, wrong: Option<String>) -> Response {
    let shell = visit.shell(Place::Workflows);
    let words = Words::of(visit.language());
    page(&Editor { path, source, found, wrong, may_register: visit.may(Action::Register), words, shell })
}

/// Browsers send line ends as CR LF; files here end their lines with LF.
fn lines_ended(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A name for the text: no more than that is made of it.
fn named_file(path: &str) -> String {
    let path = path.trim();
    if path.is_empty() {
        "workflow.yaml".to_owned()
    } else {
        path.chars().filter(|one| !one.is_control()).take(200).collect()
    }
}

async fn checked(app: &App, visit: &Visit, path: &str, source: &str) -> Result<Found, Problem> {
    let definition =
        Definition { path: path.to_owned(), source: source.to_owned(), called: called(app, source).await? };
    let engine = app.engine.clone();
    // A large text takes milliseconds: not where others wait for their turn.
    let checked = tokio::task::spawn_blocking(move || engine.check(&definition));
    let checked = checked.await.map_err(|error| Problem::internal(&error))?;
    Ok(told(&checked.diagnostics, path, visit))
}

fn told(diagnostics: &[Diagnostic], path: &str, visit: &Visit) -> Found {
    let words = Words::of(visit.language());
    let own: Vec<Diagnostic> = diagnostics.iter().filter(|found| found.file == path).cloned().collect();
    // What is wrong with a called text stands behind, without a line of this one.
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let mut all = notes(&own, visit.language());
    let others: Vec<Diagnostic> = diagnostics.iter().filter(|found| found.file != path).cloned().collect();
    all.extend(
        notes(&others, visit.language())
            .into_iter()
            .zip(&others)
            .map(|(note, found)| Note { message: format!("{}: {}", found.file, note.message), ..note }),
    );
    Found { said: words.found(errors, diagnostics.len() - errors), notes: all, words }
}

/// Registered workflows by the names that a `call` could write: file name, path.
async fn called(app: &App, source: &str) -> Result<BTreeMap<String, (String, String)>, Problem> {
    if !source.contains("call:") {
        return Ok(BTreeMap::new());
    }
    let mut called = BTreeMap::new();
    for row in app.engine.reader().registered_workflows().await?.into_iter().rev() {
        let own: BTreeMap<String, (String, String)> = serde_json::from_str(&row.called).unwrap_or_default();
        called.extend(own);
        let file = row.path.rsplit('/').next().unwrap_or(&row.path).to_owned();
        for name in [file, row.path.clone(), row.workflow_id.clone()] {
            called.insert(name, (row.path.clone(), row.source.clone()));
        }
    }
    Ok(called)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_a_browser_has_the_line_ends_of_a_file() {
        assert_eq!(lines_ended("a\r\nb\n"), "a\nb\n");
        assert_eq!(named_file(" a\nb.yaml "), "ab.yaml");
        assert_eq!(named_file(""), "workflow.yaml");
    }
}
