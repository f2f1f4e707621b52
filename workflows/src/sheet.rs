//! Sample sheets: rows into specimens, or every mistake with its row and column.
//!
//! CSV or TSV in UTF-8, one row per item of a list (a lane), or per specimen where the workflow has no list; or an Illumina
//! SampleSheet ([`illumina`]). Nothing here looks at a disk: paths become absolute, and [`SheetRead::files`] says which cell
//! named each, so that somebody else can look and report with [`missing_file`].
//!
//! Columns: `specimen`, the workflow's fields and inputs by name, a list's id column and item fields, `<file>_sha256` and
//! `<file>_md5`; optional `participant` (a pseudonym), `barcode` (kept byte for byte), `priority` (`routine`, `urgent`, `stat`) and
//! `consent` (`RECORD:scope;scope`, such as `C-0012:sequencing;research_domestic`).

use crate::diagnostic::Diagnostic;
use crate::plan::Specimen;
use crate::plan::words::Wrong;
use crate::sheet::columns::{Column, Meaning};
use crate::sheet::place::Place;
use crate::sheet::row::{Context, Gathered};
use crate::sheet::table::Row;
use crate::workflow::{Requirement, StepKind, Workflow};

mod cell;
mod codes;
mod columns;
mod draft;
mod file;
mod finish;
pub mod illumina;
mod place;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod width;

pub use codes::CODES;
pub use file::{Reason, SheetFile, missing_file, set_size, wrong_checksum};

/// Mistakes reported at most; a sheet with more has one cause, not a thousand.
const DIAGNOSTICS_MAX: usize = 1_000;

/// What a sheet says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SheetRead {
    /// Those without mistakes, in sheet order. With an error among `diagnostics` the sheet as a whole should be refused.
    pub specimens: Vec<Specimen>,
    /// In row order.
    pub diagnostics: Vec<Diagnostic>,
    /// Every file that a specimen names.
    pub files: Vec<SheetFile>,
}

/// Reads the sheet at the absolute `path` for `workflow`.
#[must_use]
pub fn read(path: &str, bytes: &[u8], workflow: &Workflow) -> SheetRead {
    let mut gathered = Gathered::default();
    let mut specimens = Vec::new();
    if let Some(text) = table::text(path, bytes, &mut gathered.notes) {
        specimens = if illumina::looks_like(text) {
            illumina::specimens(path, text, workflow, &mut gathered)
        } else {
            tabular(path, text, workflow, &mut gathered)
        };
    }
    let files = std::mem::take(&mut gathered.files);
    let mut diagnostics = gathered.notes;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    shorten(path, &mut diagnostics);
    SheetRead { specimens, diagnostics, files }
}

fn tabular(path: &str, text: &str, workflow: &Workflow, gathered: &mut Gathered) -> Vec<Specimen> {
    let rows = table::rows(path, text, table::delimiter(path, text), &mut gathered.notes);
    let Some((header, rows)) = rows.split_first() else {
        no_rows(path, 1, gathered);
        return Vec::new();
    };
    let known = columns::known(workflow);
    let columns = columns::matched(path, header, &known, &mut gathered.notes);
    if rows.is_empty() {
        no_rows(path, header.number + 1, gathered);
    }
    // Without ids there is nothing to say about the rows.
    if !columns::has(&columns, Meaning::Specimen) {
        return Vec::new();
    }
    laid_out(path, rows, &columns, columns::named_width(header), workflow, gathered)
}

/// Specimens of `rows` whose columns are known.
fn laid_out(
    path: &str,
    rows: &[Row],
    columns: &[Column],
    width: usize,
    workflow: &Workflow,
    gathered: &mut Gathered,
) -> Vec<Specimen> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let context = Context { workflow, file: path, directory, columns, width };
    for row in rows {
        row::read(&context, row, gathered);
    }
    let drafts = std::mem::take(&mut gathered.drafts).into_list();
    finish::specimens(&context, drafts, &mut gathered.notes)
}

fn no_rows(path: &str, row: usize, gathered: &mut Gathered) {
    if gathered.notes.iter().any(|note| note.code == "S113") {
        return;
    }
    let wrong = Wrong::new("the sheet has no specimens", "シートに検体の行がありません");
    gathered.notes.push(Place::row(path, row).error("S111", &wrong));
}

fn shorten(path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let hidden = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    if hidden == 0 {
        return;
    }
    // Errors first, so that no warning hides one.
    diagnostics.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.line, diagnostic.column));
    diagnostics.truncate(DIAGNOSTICS_MAX);
    let row = diagnostics.last().map_or(1, |last| last.line);
    let wrong =
        Wrong::new(format!("{hidden} more mistakes are not shown"), format!("ほかに {hidden} 件の誤りがあります"));
    diagnostics.push(Place::row(path, row).error("S113", &wrong));
}

/// The columns that a sheet for `workflow` should have, in order; its first `receive` step decides whether consent and checksums
/// are among them.
#[must_use]
pub fn header_for(workflow: &Workflow) -> Vec<String> {
    let requires = |wanted: Requirement| {
        let mut receives = workflow.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Receive(receive) => Some(receive),
            _ => None,
        });
        receives.any(|receive| receive.require.contains(&wanted))
    };
    let (consent, checksums) = (requires(Requirement::Consent), requires(Requirement::Checksums));
    let wanted = |meaning: Meaning| match meaning {
        Meaning::Specimen | Meaning::ListId(_) | Meaning::Value(_) => true,
        Meaning::Consent => consent,
        Meaning::Sha256(_) => checksums,
        Meaning::Participant | Meaning::Barcode | Meaning::Priority | Meaning::Md5(_) => false,
    };
    columns::known(workflow).into_iter().filter(|known| wanted(known.meaning)).map(|known| known.name).collect()
}
