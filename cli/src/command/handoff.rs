//! `handoff list|show|receipts|recall|reoffer|archived|retire|reconcile`

mod reconcile;
mod retire;

use std::path::PathBuf;

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::center::{Inner, own_target};
use kentai_engine::view::{self, DeliveryView, Page};

use super::center::ask;
use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Hand-offs to data centers.
#[derive(Subcommand, Debug)]
pub(crate) enum Handoff {
    /// List deliveries, newest first
    List(List),
    /// Show one delivery with its files, what the receiver said, and how to check it
    Show {
        /// Delivery id
        id: String,
    },
    /// Show the receipts of one delivery, and what they say of each file
    Receipts {
        /// Delivery id
        id: String,
    },
    /// Call a delivery back: nothing more of it is sent, and the receiver reads why
    Recall {
        /// Delivery id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Offer a delivery again: one that is over, or was refused
    Reoffer {
        /// Delivery id
        id: String,
        /// For so many days; 0: as its target is configured
        #[arg(long, default_value_t = 0)]
        days: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Write down that a copy of what was delivered lies in an archive
    Archived {
        /// Delivery id
        id: String,
        /// Where it lies: a shelf, a tape, a bucket
        #[arg(long, value_name = "PLACE")]
        at: String,
        /// What else there is to say
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Let the copies go that this site keeps of a delivery; another person confirms
    Retire(retire::Retire),
    /// Hold what a receiver says it has against what we believe
    #[command(after_help = "LIST is a CSV table with the columns delivery, path and sha256, as the receiver has them.
Exit code 3 when the two differ.")]
    Reconcile {
        /// Target
        target: String,
        /// The receiver's list
        list: PathBuf,
    },
}

/// Arguments of `handoff list`.
#[derive(clap::Args, Debug)]
pub(crate) struct List {
    /// Only of this specimen
    #[arg(long)]
    specimen: Option<String>,
    /// Only to this target
    #[arg(long)]
    target: Option<String>,
    /// Only with this status: packaging, carrying, offered, pulling, delivered, partly_acknowledged, acknowledged, refused, expired, superseded, recalled, retired
    #[arg(long)]
    status: Option<String>,
    /// Only those whose receipt is overdue
    #[arg(long)]
    late: bool,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
    /// Only those older than this one: the last of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

impl Handoff {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.show(site, output).await,
            Self::Show { id } => show(site, &id, output).await,
            Self::Receipts { id } => receipts(site, &id, output).await,
            Self::Recall { id, reason } => ask(site, output, Request::Recall { delivery: id, reason }).await,
            Self::Reoffer { id, days, reason } => {
                ask(site, output, Request::Reoffer { delivery: id, days, reason }).await
            }
            Self::Archived { id, at, note } => {
                ask(site, output, Request::Archived { delivery: id, place: at, note }).await
            }
            Self::Retire(retire) => retire.run(site, output).await,
            Self::Reconcile { target, list } => reconcile::reconcile(site, &target, &list, output).await,
        }
    }
}

impl List {
    async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let Self { specimen, target, status, late, limit, after } = self;
        access::of_the_center(site, Inner::Delivery, None).await?;
        let own = own_target(&access::who(site));
        let foreign = own.is_some() && target.is_some() && own != target;
        let filter = DeliveryFilter {
            specimen,
            target: own.or(target),
            status,
            late_us: late.then(kentai_engine::clock::now),
            limit,
            after,
        };
        let page = match access::reader_if_any(site).await? {
            Some(reader) if !foreign => view::deliveries(&reader, &filter).await?,
            _ => Page { items: Vec::new(), next: None },
        };
        if output.json {
            output.json(&page);
            return Ok(Exit::Done);
        }
        let Some(first) = page.items.first() else {
            output.say("no deliveries");
            return Ok(Exit::Done);
        };
        let zone = Zone::of(site);
        let rows = page.items.iter().map(|one| row(one, &zone));
        output.line(table(&["delivery", "specimen", "target", "status", "files", &zone.head("updated")], rows));
        if let Some(next) = &page.next {
            output.say(format!("there may be more: --after {next}, or a larger --limit"));
        }
        output.say(format!("next: kentai handoff show {}", first.id));
        Ok(Exit::Done)
    }
}

fn row(one: &DeliveryView, zone: &Zone) -> Vec<String> {
    let files = one.files.len().to_string();
    vec![
        one.id.to_string(),
        one.specimen.clone(),
        one.target.clone(),
        one.status.clone(),
        files,
        zone.show(&one.updated),
    ]
}

/// One delivery that they may see.
async fn find(site: &Site, id: &str) -> anyhow::Result<DeliveryView> {
    let unknown = || {
        let message = format!("there is no delivery `{}`; see `kentai handoff list`", id.escape_debug());
        Stop::new(Exit::NotFound, message)
    };
    access::of_the_center(site, Inner::Delivery, Some(id)).await?;
    let reader = access::reader_if_any(site).await?.ok_or_else(unknown)?;
    let found = view::delivery(&reader, id).await?.ok_or_else(unknown)?;
    Ok(if own_target(&access::who(site)).is_some() { found.for_receiver() } else { found })
}

async fn receipts(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let one = find(site, id).await?;
    if output.json {
        output.json(&one.receipts);
        return Ok(Exit::Done);
    }
    if one.receipts.is_empty() {
        output.say("no receipts");
    } else {
        let zone = Zone::of(site);
        let rows = one.receipts.iter().map(|(id, receipt)| {
            let signed = receipt.signed_by.clone().unwrap_or_else(|| "nobody".into());
            vec![id.clone(), zone.show(&receipt.at), receipt.by.clone(), signed]
        });
        output.line(table(&["receipt", &zone.head("came"), "from", "signed by"], rows));
    }
    answers(&one, output);
    Ok(Exit::Done)
}

/// What the receiver said of each file.
fn answers(one: &DeliveryView, output: Output) {
    let rows = one.answers.iter().map(|(path, said)| {
        let why = if said.text.is_empty() { said.reason.clone() } else { format!("{}: {}", said.reason, said.text) };
        vec![path.clone(), said.status.word().to_owned(), why, said.accession.clone()]
    });
    if !one.answers.is_empty() {
        output.line(table(&["file", "answer", "why", "accession"], rows));
    }
}

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let one = find(site, id).await?;
    if output.json {
        output.json(&one);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    output.line(plain(&format!("delivery {} of {} to {}: {}", one.id, one.specimen, one.target, one.status)));
    output.line(format!("run {}, step {}", one.run, one.step));
    let (begun, updated) = (zone.show(&one.created), zone.show(&one.updated));
    output.line(zone.head(&format!("begun {begun}, last change {updated}")));
    let file = |file: &view::DeliveredFile| vec![file.name.clone(), file.size.to_string(), file.sha256.clone()];
    output.line(table(&["file", "bytes", "sha256"], one.files.iter().map(file)));
    answers(&one, output);
    for (what, said) in [
        ("offered until", one.expires.as_ref().map(|at| zone.show(at))),
        ("receipt expected by", one.receipt_due.as_ref().map(|at| zone.show(at))),
        ("takes the place of", one.supersedes.clone()),
        ("because", one.reason.clone()),
    ] {
        if let Some(said) = said {
            output.line(plain(&format!("{what} {said}")));
        }
    }
    retire::told(&one, &zone, output);
    // What is offered lies nowhere but in the store.
    if let Some(place) = one.place.as_ref().filter(|place| !place.starts_with("/deliveries/")) {
        output.line(format!("place {place}"));
        output.line(format!("manifest {}", one.manifest_sha256.as_deref().unwrap_or_default()));
        output.say(format!("check it: (cd {place} && sha256sum -c manifest-sha256.txt)"));
    }
    Ok(Exit::Done)
}
