//! `handoff list|show`

use clap::Subcommand;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view;

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// Hand-offs to data centers.
#[derive(Subcommand, Debug)]
pub(crate) enum Handoff {
    /// List deliveries, newest first
    List {
        /// Only of this specimen
        #[arg(long)]
        specimen: Option<String>,
    },
    /// Show one delivery with its files
    Show {
        /// Delivery id
        id: String,
    },
}

impl Handoff {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        match self {
            Self::List { specimen } => {
                let filter = DeliveryFilter { specimen, limit: 1_000, ..DeliveryFilter::default() };
                let page = view::deliveries(&reader, &filter).await?;
                if output.json {
                    output.json(&page);
                    return Ok(Exit::Done);
                }
                let rows = page.items.iter().map(|one| {
                    vec![
                        one.id.to_string(),
                        one.specimen.clone(),
                        one.target.clone(),
                        one.status.clone(),
                        one.files.len().to_string(),
                        one.updated.chars().take(19).collect(),
                    ]
                });
                output.line(table(&["delivery", "specimen", "target", "status", "files", "updated (UTC)"], rows));
            }
            Self::Show { id } => {
                let Some(one) = view::delivery(&reader, &id).await? else {
                    return Err(Stop::new(
                        Exit::NotFound,
                        format!("there is no delivery `{id}`; see `kentai handoff list`"),
                    )
                    .into());
                };
                if output.json {
                    output.json(&one);
                    return Ok(Exit::Done);
                }
                output.line(format!("delivery {} of {} to {}: {}", one.id, one.specimen, one.target, one.status));
                output.line(table(
                    &["file", "bytes", "sha256"],
                    one.files.iter().map(|file| vec![file.name.clone(), file.size.to_string(), file.sha256.clone()]),
                ));
                if let Some(place) = &one.place {
                    output.say(format!("check it: cd {place} && sha256sum -c manifest-sha256.txt"));
                }
            }
        }
        Ok(Exit::Done)
    }
}
