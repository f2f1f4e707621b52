//! `pull list`: what is offered and what is here, with what a person must know said loudly.

use std::path::Path;

use kentai_engine::handoff::offer::Offer;
use serde::Serialize;

use super::{Patience, Place};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, table};
use crate::pull::feed;
use crate::pull::state::State;

/// Arguments of `pull list`.
#[derive(clap::Args, Debug)]
pub(crate) struct List {
    /// Ask nobody: what was known last
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    patience: Patience,
}

/// One delivery for programs.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    #[serde(flatten)]
    offer: &'a Offer,
    /// What lies here.
    here: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl List {
    pub(super) async fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        if !self.offline {
            match place.directory.lock() {
                Ok(_lock) => {
                    let center = place.center()?;
                    feed::refresh(&place.directory, &center, self.patience.tries, 0).await.map_err(Stop::from)?;
                }
                // Whoever works there reads the feed too.
                Err(held) if held.exit == Exit::State => {
                    output.say("another `kentai pull` works here: this is what it knows")
                }
                Err(error) => return Err(Stop::from(error).into()),
            }
        }
        let states = place.directory.states().map_err(Stop::from)?;
        if output.json {
            output.json(&states.iter().map(row).collect::<Vec<_>>());
        } else if states.is_empty() {
            output.say("nothing is offered");
        } else {
            let head = ["delivery", "folder", "specimen", "participant", "status", "here", "bytes", "expires (UTC)"];
            output.line(table(&head, states.iter().map(cells)));
        }
        warn(&place, &states, output)
    }
}

fn row(state: &State) -> Row<'_> {
    Row { offer: &state.offer, here: state.here(), warning: state.warning() }
}

fn cells(state: &State) -> Vec<String> {
    let offer = &state.offer;
    vec![
        offer.delivery.clone(),
        offer.folder.clone(),
        offer.specimen.clone(),
        offer.participant.clone().unwrap_or_default(),
        offer.status.word().to_owned(),
        state.here().to_owned(),
        offer.size.to_string(),
        offer.expires.clone().unwrap_or_default(),
    ]
}

/// What a person must know. An offer that cannot be taken makes the command fail: it would be overlooked otherwise.
pub(super) fn warn(place: &Place, states: &[State], output: Output) -> anyhow::Result<Exit> {
    for state in states {
        if let Some(warning) = state.warning() {
            output.say(plain(&format!("NOTE: {warning}")));
        }
    }
    let odd = place.directory.seen().map_err(Stop::from)?.odd;
    for (delivery, why) in &odd {
        output.say(plain(&format!("NOTE: {delivery} is offered and cannot be taken: {why}; tell the center")));
    }
    Ok(if odd.is_empty() { Exit::Done } else { Exit::CheckFailed })
}
