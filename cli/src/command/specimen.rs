//! `specimen import|list|show`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use kentai_engine::view::{self, Page, SpecimenView};
use kentai_workflows::value::to_text;

use crate::access::{self, Door};
use crate::command::status::show_runs;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Specimens as the last sheet said.
#[derive(Subcommand, Debug)]
pub(crate) enum Specimen {
    /// Check a sheet and keep its specimens, without running anything
    #[command(after_help = "Example:
  kentai specimen import sheet.csv --workflow germline_wgs --dry-run")]
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
    /// List specimens, by id
    List {
        /// Only those after this one
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
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
            Self::List { after, limit } => list(site, after.as_deref(), limit, output).await,
            Self::Show { id } => show(site, &id, output).await,
        }
    }
}

async fn import(site: &Site, sheet: &Path, workflow: &Path, dry_run: bool, output: Output) -> anyhow::Result<Exit> {
    let loaded = intake::workflow_to_read(Some(site), workflow)?;
    let intake = intake::sheet(loaded, sheet, BTreeMap::new())?;
    let wrong = intake::verify(&intake);
    if !wrong.is_empty() {
        let found = intake::Found { diagnostics: wrong, sources: intake.found.sources };
        return Err(intake::Error::Found(found).into());
    }
    let specimens: Vec<_> = intake::specimens(&intake).cloned().collect();
    if !dry_run {
        let door = Door::open(site).await?;
        let kept = door.import(&specimens, &intake.sheet).await;
        door.close().await?;
        kept?;
    }
    let ids: Vec<&str> = specimens.iter().map(|specimen| specimen.id.as_str()).collect();
    if output.json {
        output.json(&serde_json::json!({ "kept": !dry_run, "specimens": ids }));
    } else {
        ids.iter().for_each(|id| output.line(id));
    }
    let done = if dry_run { "would be kept" } else { "kept; next: kentai specimen show ID" };
    output.say(format!("{} specimen(s) {done}", ids.len()));
    Ok(Exit::Done)
}

async fn list(site: &Site, after: Option<&str>, limit: i64, output: Output) -> anyhow::Result<Exit> {
    let page = match access::reader_if_any(site).await? {
        Some(reader) => view::specimens(&reader, after, limit).await?,
        None => Page { items: Vec::new(), next: None },
    };
    if output.json {
        output.json(&page);
        return Ok(Exit::Done);
    }
    if page.items.is_empty() {
        output.say("no specimens; next: kentai specimen import SHEET, or kentai run FILE --sheet SHEET");
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let rows = page.items.iter().map(|one| {
        let consent = one.consent.as_ref().map(|consent| format!("{} ({})", consent.record, consent.scopes.join(", ")));
        let participant = one.participant.clone().unwrap_or_default();
        vec![one.id.clone(), participant, zone.show(&one.updated), consent.unwrap_or_default()]
    });
    output.line(table(&["specimen", "participant", &zone.head("updated"), "consent"], rows));
    if let Some(next) = &page.next {
        output.say(format!("there may be more: --after {next}, or a larger --limit"));
    }
    Ok(Exit::Done)
}

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let unknown = || {
        let message = format!("there is no specimen `{}`; see `kentai specimen list`", id.escape_debug());
        Stop::new(Exit::NotFound, message)
    };
    let reader = access::reader_if_any(site).await?.ok_or_else(unknown)?;
    let found = view::specimen(&reader, id).await?.ok_or_else(unknown)?;
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    show_facts(&found.specimen, &zone, output);
    if !found.runs.is_empty() {
        show_runs(&found.runs, &zone, output);
    }
    for delivery in &found.deliveries {
        output.line(plain(&format!("delivery {} to {}: {}", delivery.id, delivery.target, delivery.status)));
    }
    if let Some(run) = found.runs.first() {
        output.say(format!("next: kentai why {id}; kentai status {}", run.id));
    }
    Ok(Exit::Done)
}

fn show_facts(one: &SpecimenView, zone: &Zone, output: Output) {
    let consent = one.consent.as_ref().map(|consent| format!("{} ({})", consent.record, consent.scopes.join(", ")));
    let facts = [
        ("specimen", Some(one.id.clone())),
        ("participant", one.participant.clone()),
        ("barcode", one.barcode.clone()),
        ("consent", consent),
        ("priority", Some(one.priority.as_str().to_owned())),
        ("source", Some(one.source.clone())),
        ("updated", Some(zone.show(&one.updated))),
    ];
    let fields = one.values.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
    let fields = fields.map(|(name, value)| (name.as_str(), Some(to_text(value))));
    for (name, value) in facts.into_iter().chain(fields) {
        if let Some(value) = value {
            output.line(plain(&format!("{name:<12} {value}")));
        }
    }
}
