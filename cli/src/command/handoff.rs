//! `handoff list|show`

use clap::Subcommand;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::center::{Inner, own_target};
use kentai_engine::view::{self, DeliveryView, Page};

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
    /// Show one delivery with its files, and how to check it
    Show {
        /// Delivery id
        id: String,
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
    /// Only with this status: packaging or delivered
    #[arg(long)]
    status: Option<String>,
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
        }
    }
}

impl List {
    async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let Self { specimen, target, status, limit, after } = self;
        access::of_the_center(site, Inner::Delivery, None).await?;
        let own = own_target(&access::who(site));
        let foreign = own.is_some() && target.is_some() && own != target;
        let filter = DeliveryFilter { specimen, target: own.or(target), status, limit, after };
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

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let unknown = || {
        let message = format!("there is no delivery `{}`; see `kentai handoff list`", id.escape_debug());
        Stop::new(Exit::NotFound, message)
    };
    access::of_the_center(site, Inner::Delivery, Some(id)).await?;
    let reader = access::reader_if_any(site).await?.ok_or_else(unknown)?;
    let one = view::delivery(&reader, id).await?.ok_or_else(unknown)?;
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
    if let Some(place) = &one.place {
        output.line(format!("place {place}"));
        output.line(format!("manifest {}", one.manifest_sha256.as_deref().unwrap_or_default()));
        output.say(format!("check it: (cd {place} && sha256sum -c manifest-sha256.txt)"));
    }
    Ok(Exit::Done)
}
