//! `specimen import|list|show`

use std::path::PathBuf;

use clap::Subcommand;
use kentai_engine::view;

use crate::access::{self, Door};
use crate::command::status::show_runs;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, table};
use crate::site::Site;

/// Specimens as the last sheet said.
#[derive(Subcommand, Debug)]
pub(crate) enum Specimen {
    /// Check a sheet and keep its specimens, without running anything
    Import {
        /// Sample sheet
        sheet: PathBuf,
        /// The workflow that says which columns there are
        #[arg(long, default_value = "germline_wgs")]
        workflow: PathBuf,
        /// Check only
        #[arg(long)]
        dry_run: bool,
    },
    /// List specimens
    List,
    /// Show one specimen with its runs and hand-offs
    Show {
        /// Specimen id
        id: String,
    },
}

impl Specimen {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Import { sheet, workflow, dry_run } => import(site, &sheet, &workflow, dry_run, output).await,
            Self::List => list(site, output).await,
            Self::Show { id } => show(site, &id, output).await,
        }
    }
}

async fn import(
    site: &Site,
    sheet: &std::path::Path,
    workflow: &std::path::Path,
    dry_run: bool,
    output: Output,
) -> anyhow::Result<Exit> {
    let loaded = intake::workflow_to_run(site, workflow, Some("process"))?;
    let intake = match intake::sheet(loaded, sheet, std::collections::BTreeMap::new()) {
        Ok(intake) => intake,
        Err(intake::Error::Found(found)) => {
            output.diagnostics(&found);
            return Ok(Exit::CheckFailed);
        }
        Err(other) => return Err(other.into()),
    };
    let wrong = intake::verify(&intake);
    if !wrong.is_empty() {
        output.diagnostics(&intake::Found { diagnostics: wrong, sources: intake.found.sources });
        return Ok(Exit::CheckFailed);
    }
    let specimens: Vec<_> = intake::specimens(&intake).cloned().collect();
    if !dry_run {
        let door = Door::open(site).await?;
        let kept = door.import(&specimens, &intake.sheet).await;
        door.close().await?;
        kept?;
    }
    let done = if dry_run { "would be kept" } else { "kept" };
    output.say(format!("{} specimen(s) {done}", specimens.len()));
    Ok(Exit::Done)
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let page = view::specimens(&access::reader(site).await?, None, 10_000).await?;
    if output.json {
        output.json(&page);
        return Ok(Exit::Done);
    }
    let rows = page.items.iter().map(|one| {
        let consent = one.consent.as_ref().map(|consent| format!("{} ({})", consent.record, consent.scopes.join(", ")));
        vec![
            one.id.clone(),
            one.participant.clone().unwrap_or_default(),
            consent.unwrap_or_default(),
            one.updated.chars().take(19).collect(),
        ]
    });
    output.line(table(&["specimen", "participant", "consent", "updated (UTC)"], rows));
    Ok(Exit::Done)
}

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let found = view::specimen(&access::reader(site).await?, id).await?;
    let Some(found) = found else {
        return Err(
            Stop::new(Exit::NotFound, format!("there is no specimen `{id}`; see `kentai specimen list`")).into()
        );
    };
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let one = &found.specimen;
    output.line(format!(
        "specimen {} of participant {}",
        one.id,
        one.participant.clone().unwrap_or_else(|| "(none)".into())
    ));
    show_runs(&found.runs, output);
    for delivery in &found.deliveries {
        output.line(format!("delivery {} to {}: {}", delivery.id, delivery.target, delivery.status));
    }
    Ok(Exit::Done)
}
