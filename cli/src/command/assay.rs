//! `assay define|list|show`

use std::path::PathBuf;

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;

use super::center::ask;
use super::record;
use crate::config;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::Output;
use crate::site::Site;

/// What is ordered: reads, criteria, workflow, targets.
#[derive(Subcommand, Debug)]
pub(crate) enum Assay {
    /// Define a version of an assay; a version never changes
    #[command(after_help = "Example:
  kentai assay define wgs_30x@1 wgs_30x.yaml")]
    Define {
        /// Name and version
        #[arg(value_name = "NAME@VERSION")]
        name: String,
        /// What it is
        file: PathBuf,
    },
    /// List assays
    List,
    /// Show one version
    Show {
        /// Name and version
        #[arg(value_name = "NAME@VERSION")]
        name: String,
    },
}

impl Assay {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => record::list(site, "assay", None, output).await,
            Self::Show { name } => record::show(site, "assay", &name, output).await,
            Self::Define { name, file } => {
                let Some((name, version)) = name.split_once('@') else {
                    return Err(Stop::new(Exit::Usage, format!("`{name}`: write it as NAME@VERSION")).into());
                };
                let text = std::fs::read_to_string(&file)
                    .map_err(|source| intake::Error::Read { path: file.clone(), source })?;
                let assay = config::assay(&text)
                    .map_err(|reason| Stop::new(Exit::CheckFailed, format!("{}: {reason}", file.display())))?;
                let (name, version) = (name.to_owned(), version.to_owned());
                ask(site, output, Request::Assay { name, version, assay: Box::new(assay) }).await
            }
        }
    }
}
