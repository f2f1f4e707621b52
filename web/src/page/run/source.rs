//! A workflow's text as a page shows it: with line numbers, and what is wrong beside its line. Which workflow, its caller says.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use kentai_workflows::diagnostic::{Diagnostic, Language, Severity, spoken};

use super::one;
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// One line of a text.
#[derive(Clone, Debug)]
pub(in crate::page) struct Line {
    pub(in crate::page) number: usize,
    pub(in crate::page) text: String,
    pub(in crate::page) notes: Vec<Note>,
}

/// What is wrong on a line.
#[derive(Clone, Debug)]
pub(in crate::page) struct Note {
    pub(in crate::page) shape: Shape,
    pub(in crate::page) line: usize,
    pub(in crate::page) column: usize,
    pub(in crate::page) code: &'static str,
    pub(in crate::page) message: String,
    pub(in crate::page) help: String,
}

#[derive(Template)]
#[template(path = "run_workflow.html")]
struct AsRun {
    shell: Shell,
    words: &'static Words,
    id: String,
    name: String,
    digest: String,
    path: String,
    lines: Vec<Line>,
}

/// `GET /runs/{id}/workflow`
pub(super) async fn as_run(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let missing = || Problem::not_found(format!("there is no run `{id}`"));
    let row = app.engine.reader().run(id.as_str()).await?.ok_or_else(missing)?;
    let (workflow, _) = super::definition::definition(&app, &row.digest).await?.ok_or_else(missing)?;
    Ok(page(&AsRun {
        id: id.to_string(),
        name: format!("{} {}", workflow.workflow_id, workflow.version),
        digest: workflow.digest.clone(),
        path: workflow.path.clone(),
        lines: lines(&workflow.source, &[]),
        words: Words::of(visit.language()),
        shell: visit.shell(Place::Runs),
    }))
}

/// A text in lines, with what is wrong beside each.
pub(in crate::page) fn lines(text: &str, notes: &[Note]) -> Vec<Line> {
    let of = |number: usize| notes.iter().filter(|note| note.line == number).cloned().collect();
    let mut lines: Vec<Line> =
        text.lines().zip(1..).map(|(line, number)| Line { number, text: line.to_owned(), notes: of(number) }).collect();
    let last = lines.len();
    // What is wrong with the end of a text stands at its end.
    let behind = notes.iter().filter(|note| note.line > last).cloned();
    match lines.last_mut() {
        Some(line) => line.notes.extend(behind),
        None => lines.push(Line { number: 1, text: String::new(), notes: notes.to_vec() }),
    }
    lines
}

/// Mistakes in the reader's language.
pub(in crate::page) fn notes(diagnostics: &[Diagnostic], language: Language) -> Vec<Note> {
    let note = |found: &Diagnostic| Note {
        shape: match found.severity {
            Severity::Error => Shape::Failed,
            Severity::Warning => Shape::Warned,
        },
        line: found.line,
        column: found.column,
        code: found.code,
        message: spoken(&found.message, language).to_owned(),
        help: found
            .help
            .as_ref()
            .or(found.label.as_ref())
            .map(|help| spoken(help, language).to_owned())
            .unwrap_or_default(),
    };
    diagnostics.iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_stands_beside_its_line_and_none_is_lost() {
        let wrong = |line| Diagnostic::error("K001", "wrong", "違う").at_line("f", line, 1);
        let notes = notes(&[wrong(2), wrong(9)], Language::Ja);
        let lines = lines("a\nb\n", &notes);
        assert_eq!(lines.iter().map(|line| line.notes.len()).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(lines[1].notes[0].message, "違う");
        assert_eq!(super::lines("", &notes).len(), 1);
    }
}
