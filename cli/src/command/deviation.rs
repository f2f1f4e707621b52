//! `deviation open|close|list`

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;

use super::center::ask;
use super::control::said;
use super::record;
use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;

/// What was not as it should be.
#[derive(Subcommand, Debug)]
pub(crate) enum Deviation {
    /// Write one down
    #[command(after_help = "Example:
  kentai deviation open 'freezer 3' --description 'was at -12 °C overnight' --severity major")]
    Open {
        /// What it is about
        about: String,
        /// In words
        #[arg(long, value_parser = said, allow_hyphen_values = true)]
        description: String,
        /// How bad it is
        #[arg(long, default_value = "minor", value_parser = ["minor", "major", "critical"])]
        severity: String,
        /// Specimen that it reaches
        #[arg(long, default_value = "")]
        specimen: String,
    },
    /// It is dealt with
    Close {
        /// Deviation
        id: String,
        /// What was done about it
        #[arg(long, value_parser = said)]
        action: String,
    },
    /// List them
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
    },
}

impl Deviation {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Open { about, description, severity, specimen } => {
                ask(site, output, Request::Deviation { specimen, about, description, severity }).await
            }
            Self::Close { id, action } => ask(site, output, Request::DeviationClose { deviation: id, action }).await,
            Self::List { all } => record::list(site, "deviation", (!all).then_some("open"), output).await,
        }
    }
}
