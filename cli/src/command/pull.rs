//! `pull`: the data center's client. Needs no site; runs from cron.

mod get;
mod link;
mod list;
mod login;
mod receipt;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;

use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::pull::directory::{self, Directory};
use crate::pull::http::Center;
use crate::pull::settings::Settings;
use crate::pull::state::State;

/// Pull packages from a center, check, decrypt and acknowledge them, and link them with clinical records.
#[derive(clap::Args, Debug)]
pub(crate) struct Pull {
    /// The pull directory
    #[arg(long, global = true, env = "KENTAI_PULL_DIRECTORY", default_value = directory::DEFAULT)]
    directory: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Say which center, who we are and whom to believe
    Login(login::Login),
    /// List what is offered, and what is here
    List(list::List),
    /// Pull packages; whatever is cut is continued by the next call
    Get(get::Get),
    /// Check packages that are here, from their first byte to their last, and what the center answered to their receipts
    Verify(verify::Verify),
    /// Decrypt packages that are here
    Decrypt(verify::Decrypt),
    /// Tell the center that packages arrived, with the checksums of what is here
    Acknowledge(receipt::Acknowledge),
    /// Tell the center that a package is not wanted
    Refuse(receipt::Refuse),
    /// Join pulled packages with phenopackets, by pseudonym
    Link(link::Link),
}

impl Pull {
    /// `token` is the one that the command was given.
    pub(crate) async fn run(self, token: Option<String>, output: Output) -> anyhow::Result<Exit> {
        let directory = self.directory.as_path();
        let work = async {
            match self.verb {
                Verb::Login(login) => login.run(directory, token, output).await,
                Verb::List(list) => list.run(directory, output).await,
                Verb::Get(get) => get.run(directory, output).await,
                Verb::Verify(verify) => verify.run(directory, output),
                Verb::Decrypt(decrypt) => decrypt.run(directory, output),
                Verb::Acknowledge(acknowledge) => acknowledge.run(directory, output).await,
                Verb::Refuse(refuse) => refuse.run(directory, output).await,
                Verb::Link(link) => link.run(directory, output).await,
            }
        };
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let work = std::pin::pin!(work);
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => Ok(interrupted(output)),
            _ = term.recv() => Ok(interrupted(output)),
        }
    }
}

fn interrupted(output: Output) -> Exit {
    output.say("interrupted: what has come in is kept, and the same command goes on with it");
    Exit::Interrupted
}

/// A pull directory, and its center.
struct Place {
    directory: Directory,
    settings: Settings,
}

impl Place {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let directory = Directory::open(path).map_err(Stop::from)?;
        let settings = directory.settings().map_err(Stop::from)?;
        Ok(Self { directory, settings })
    }

    fn center(&self) -> anyhow::Result<Arc<Center>> {
        let token = self.directory.token().map_err(Stop::from)?;
        Ok(Arc::new(Center::new(&self.settings, token).map_err(Stop::from)?))
    }

    /// The named deliveries, or every one that `every` picks.
    fn states(&self, named: &[String], every: impl Fn(&State) -> bool) -> anyhow::Result<Vec<State>> {
        if named.is_empty() {
            let all = self.directory.states().map_err(Stop::from)?;
            return Ok(all.into_iter().filter(every).collect());
        }
        let mut states = Vec::new();
        for delivery in named {
            let state = self.directory.state(delivery).map_err(Stop::from)?;
            let unknown = || {
                let message = format!("no delivery `{}` was offered; see `kentai pull list`", delivery.escape_debug());
                Stop::new(Exit::NotFound, message)
            };
            states.push(state.ok_or_else(unknown)?);
        }
        Ok(states)
    }
}

/// How a command over several packages ends: with the first thing that was not well.
#[derive(Default)]
struct Worst(Option<Exit>);

impl Worst {
    fn add(&mut self, exit: Exit) {
        if exit != Exit::Done {
            self.0.get_or_insert(exit);
        }
    }

    fn exit(self) -> Exit {
        self.0.unwrap_or(Exit::Done)
    }
}

/// Tries without a new byte before something is given up.
#[derive(clap::Args, Debug)]
struct Patience {
    /// Tries without a new byte before giving up
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
}
