//! `specimen import|expect|receive|reject|accession|close-shipment|list|show|history|custody`

mod center;
mod transfer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::import::Table;
use kentai_engine::store::read::Reader;
use kentai_engine::view::center::{Inner, Refused, specimen as story};
use kentai_engine::view::{self, Page, SpecimenView};
use kentai_workflows::value::to_text;

pub(crate) use self::center::{Wish, list, standing};
use super::center::{Import, ask, table as center_table};
use crate::access::{self, Door};
use crate::command::status::show_runs;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Specimens: tables, reception, where each stands.
#[derive(Subcommand, Debug)]
pub(crate) enum Specimen {
    /// Take a table in, or check a sheet and keep its specimens, without running anything
    #[command(after_help = "Examples:
  kentai specimen import sheet.csv --workflow germline_wgs --dry-run
  kentai specimen import hospitals.csv --table institutions
  kentai specimen import lanes.csv --table lanes")]
    Import {
        /// CSV file with a header
        sheet: PathBuf,
        /// A table of the center instead of a workflow's sheet: institutions, programs, shipment, consents, libraries, lanes
        #[arg(long, value_parser = center_table, conflicts_with = "workflow")]
        table: Option<Table>,
        /// Whose they are: an institution's code
        #[arg(long, default_value = "", requires = "table")]
        institution: String,
        /// The workflow that says which columns a sheet has
        #[arg(long, default_value = "germline_wgs")]
        workflow: PathBuf,
        /// Check only
        #[arg(long)]
        dry_run: bool,
    },
    /// Announce a shipment: its manifest
    #[command(after_help = "Example:
  kentai specimen expect shipment.csv --institution H1")]
    Expect {
        /// CSV file with a header: shipment, barcode, pseudonym, program, assay …
        file: PathBuf,
        /// Whose they are: an institution's code
        #[arg(long)]
        institution: String,
        /// Check only
        #[arg(long)]
        dry_run: bool,
    },
    /// A tube was scanned
    Receive {
        /// As it was scanned
        barcode: String,
        /// Whose, when several institutions have such a barcode
        #[arg(long, default_value = "")]
        institution: String,
        /// What it is like: good, or a condition code
        #[arg(long, default_value = "")]
        condition: String,
        /// In your words
        #[arg(long, default_value = "")]
        note: String,
    },
    /// A tube was scanned and is not accepted
    Reject {
        /// As it was scanned
        barcode: String,
        /// Whose, when several institutions have such a barcode
        #[arg(long, default_value = "")]
        institution: String,
        /// What is wrong with it
        #[arg(long)]
        condition: String,
        /// What becomes of it
        #[arg(long, value_parser = ["return", "destroy", "keep"])]
        disposition: String,
        /// In your words
        #[arg(long, default_value = "")]
        note: String,
    },
    /// The specimen was matched with its order
    Accession {
        /// Specimen id
        id: String,
    },
    /// Every tube of a shipment was scanned: the rest is missing
    CloseShipment {
        /// Shipment
        id: String,
    },
    /// List specimens: order lines, where there are some
    List {
        /// Only this stage
        #[arg(long, conflicts_with = "stuck")]
        stage: Option<String>,
        /// Only what should have moved on by now, the longest ago first
        #[arg(long)]
        stuck: bool,
        /// Only this institution's
        #[arg(long, conflicts_with = "stuck")]
        institution: Option<String>,
        /// Only those after this one
        #[arg(long, value_name = "ID", conflicts_with = "stuck")]
        after: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Show one specimen with everything that reaches it
    Show {
        /// Specimen id
        id: String,
    },
    /// What happened to a specimen, its order lines, records and runs
    History {
        /// Specimen id
        id: String,
    },
    /// Show what goes to a biobank together, or its manifest
    Transfer(transfer::Transfer),
    /// A leftover moves
    #[command(after_help = "Example:
  kentai specimen custody S000000015 arrived --holder biobank --accession BB-77 --receipt R-12")]
    Custody {
        /// Specimen id
        id: String,
        /// packed, unpacked, handed_over, arrived, destroyed, returned, exhausted, lost, found
        event: String,
        /// Who has it now
        #[arg(long, default_value = "")]
        holder: String,
        /// Transfer manifest
        #[arg(long, default_value = "")]
        transfer: String,
        /// The biobank's own number
        #[arg(long, default_value = "")]
        accession: String,
        /// The receipt's reference
        #[arg(long, default_value = "")]
        receipt: String,
    },
}

impl Specimen {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Import { sheet, table: Some(table), institution, dry_run, .. } => {
                Import { file: sheet, table, institution, dry_run }.run(site, output).await
            }
            Self::Import { sheet, workflow, dry_run, .. } => import(site, &sheet, &workflow, dry_run, output).await,
            Self::Expect { file, institution, dry_run } => {
                Import { file, table: Table::Shipment, institution, dry_run }.run(site, output).await
            }
            Self::List { stage, stuck, institution, after, limit } => {
                list_any(site, Wish { stage, institution, stuck, after, limit }, output).await
            }
            Self::Show { id } => show(site, &id, output).await,
            Self::Transfer(transfer) => transfer.show(site, output).await,
            Self::History { id } => center::history(site, &access::reader(site).await?, &id, output).await,
            other => ask(site, output, other.request()?).await,
        }
    }

    /// What is asked of the center.
    fn request(self) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Receive { barcode, institution, condition, note } => {
                Request::Receive { barcode, institution, condition, note }
            }
            Self::Reject { barcode, institution, condition, disposition, note } => {
                Request::Reject { barcode, institution, condition, disposition, note }
            }
            Self::Accession { id } => Request::Accession { specimen: id },
            Self::CloseShipment { id } => Request::CloseShipment { shipment: id },
            Self::Custody { id, event, holder, transfer, accession, receipt } => {
                Request::Custody { specimen: id, event, holder, transfer, accession, receipt }
            }
            _ => return Err(Stop::new(Exit::Unexpected, "a verb that asks nothing").into()),
        })
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

async fn list_any(site: &Site, wish: Wish, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader_if_any(site).await?;
    let outside = access::is_outsider(&access::who(site));
    let asked = wish.stuck || wish.stage.is_some() || wish.institution.is_some() || outside;
    let known = match &reader {
        Some(reader) if !asked => center::is_center(reader).await?,
        _ => asked,
    };
    if known {
        return center::list(site, reader, wish, output).await;
    }
    access::of_the_center(site, Inner::Specimen, None).await?;
    let page = match reader {
        Some(reader) => view::specimens(&reader, wish.after.as_deref(), wish.limit).await?,
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
    let found = match of_center(site, &reader, id, output).await? {
        Some(exit) => return Ok(exit),
        None => {
            access::of_the_center(site, Inner::Specimen, Some(id)).await?;
            view::specimen(&reader, id).await?.ok_or_else(unknown)?
        }
    };
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

/// Shows a specimen of the center; none when it may be one of a sheet.
async fn of_center(site: &Site, reader: &Reader, id: &str, output: Output) -> anyhow::Result<Option<Exit>> {
    let who = access::who(site);
    let outside = access::is_outsider(&who);
    match story(reader, &who, id).await {
        Ok(found) => {
            center::show(site, &found, output);
            Ok(Some(Exit::Done))
        }
        // It may be one of a sheet; to people from outside those are nothing.
        Err(Refused::NotFound(_)) if !outside => Ok(None),
        Err(Refused::NotAllowed(_)) if !outside && !center::is_center(reader).await? => Ok(None),
        Err(refused) => Err(access::hidden(refused)),
    }
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
