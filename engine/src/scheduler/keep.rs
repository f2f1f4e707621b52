//! Keeping what people bring without running it: specimens of a sheet, registered workflows. The loop only stores it.

use std::collections::BTreeMap;

use kentai_workflows::diagnostic::{Diagnostic, Severity};
use kentai_workflows::plan::Specimen;

use super::handle::{Definition, Refusal};
use super::submit::{check_text, refuse_hostile, specimen_row, workflow_row};
use super::{Actor, Options};
use crate::people::permission::Action;
use crate::store::rows;
use crate::store::writer::{Change, Table};

/// The check's word for a tag that is not locked here.
const UNLOCKED: &str = "K050";

/// Rows of specimens that no run is about yet.
pub(super) fn specimens(specimens: &[Specimen], source: &str, actor: &Actor, now: i64) -> Result<Change, Refusal> {
    actor.may("import specimens", Action::Import)?;
    let mut change = Change::default();
    for specimen in specimens {
        refuse_hostile(specimen)?;
        change.put(Table::Specimen, &specimen_row(specimen, source, now));
    }
    Ok(change)
}

/// The row of a registered workflow and its digest, when it has no mistake and everything that it runs is locked.
pub(super) fn workflow(definition: &Definition, options: &Options, actor: &Actor) -> Result<(Change, String), Refusal> {
    actor.may("register a workflow", Action::Register)?;
    let Definition { path, source, called } = definition;
    let checked = check_text((path, source, called), &(options.facts)(), options);
    let refused = |diagnostics, sources| Err(Refusal::Check { diagnostics, sources });
    let Some(workflow) = checked.workflow else { return refused(checked.diagnostics, checked.sources) };
    let unlocked = unlocked(checked.diagnostics);
    if !unlocked.is_empty() {
        return refused(unlocked, checked.sources);
    }
    let mut change = Change::default();
    let row = workflow_row(&workflow, options.clock.now());
    let digest = row.digest.clone();
    change.put(Table::Workflow, &rows::Workflow { registered: 1, ..row });
    Ok((change, digest))
}

/// What a run may do (it locks at its start), a registered version may not.
fn unlocked(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let open = diagnostics.into_iter().filter(|found| found.code == UNLOCKED);
    // One per place is enough, wherever the check looked twice.
    let by_place: BTreeMap<_, _> = open.map(|found| ((found.file.clone(), found.line, found.column), found)).collect();
    by_place.into_values().map(|found| Diagnostic { severity: Severity::Error, ..found }).collect()
}
