//! `pull acknowledge` and `pull refuse`: a person's word about packages.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_engine::handoff::offer::{Detail, Entry, Status};
use kentai_engine::handoff::receipt::{Answer, Reason};
use tokio::task::block_in_place;

use super::{Patience, Place, Worst};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::pull::acknowledge::{self, Accessions, Sender};
use crate::pull::http::Center;
use crate::pull::state::State;
use crate::pull::{Failure, Refusal, decrypt, feed, verify};

/// Arguments of `pull acknowledge`.
#[derive(clap::Args, Debug)]
pub(crate) struct Acknowledge {
    /// Deliveries, by id; all that are here and not acknowledged otherwise
    deliveries: Vec<String>,
    /// Table with the columns file, accession and, for several packages, delivery
    #[arg(long, value_name = "FILE.csv")]
    accession: Option<PathBuf>,
    /// Say that so many copies are kept here, in places that do not perish together: the center may let its own go then
    #[arg(long, conflicts_with = "recalled", value_parser = clap::value_parser!(u32).range(1..=99))]
    copies: Option<u32>,
    /// Say of these recalled deliveries that they are out of use here
    #[arg(long, requires = "deliveries", conflicts_with = "accession")]
    recalled: bool,
    #[command(flatten)]
    patience: Patience,
}

/// Arguments of `pull refuse`.
#[derive(clap::Args, Debug)]
pub(crate) struct Refuse {
    /// Delivery, by id
    delivery: String,
    /// checksum, key, metadata, unknown_sample, consent or policy
    #[arg(long, value_parser = acknowledge::reason)]
    reason: Reason,
    /// The same in words
    #[arg(long)]
    text: Option<String>,
    /// Only this file of it
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
    #[command(flatten)]
    patience: Patience,
}

impl Acknowledge {
    pub(super) async fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        let _lock = place.directory.lock().map_err(Stop::from)?;
        let center = place.center()?;
        let tries = self.patience.tries;
        // What was recalled since must not be acknowledged any more.
        feed::refresh(&place.directory, &center, tries, 0).await.map_err(Stop::from)?;
        let accessions = self.accession.as_deref().map(acknowledge::accessions).transpose().map_err(Stop::from)?;
        let accessions = accessions.unwrap_or_default();
        // With accessions or copies, what was acknowledged without them is said again.
        let more = !accessions.is_empty() || self.copies.is_some();
        let left =
            |state: &State| state.is_here() && state.offer.status.is_open() && (!state.is_acknowledged() || more);
        let states = place.states(&self.deliveries, left)?;
        acknowledge::check_accessions(&states, &accessions).map_err(Stop::from)?;
        if states.is_empty() {
            output.say("nothing is here that is not acknowledged");
        }
        let copies = self.copies;
        let sender = Sender { directory: &place.directory, center: &center, settings: &place.settings, tries, copies };
        let (mut answers, mut worst) = (Vec::new(), Worst::default());
        for mut state in states {
            let answer = if self.recalled {
                recalled(&sender, &mut state).await
            } else {
                accept(&place, &sender, &mut state, &accessions).await
            };
            match answer {
                Ok(answer) => answers.push(told(answer, output)),
                Err(failure) => {
                    worst.add(failure.exit);
                    output.say(plain(&format!("{}: {}", state.offer.delivery, failure.message)));
                }
            }
        }
        if output.json {
            output.json(&answers);
        }
        Ok(worst.exit())
    }
}

async fn accept(
    place: &Place,
    sender: &Sender<'_>,
    state: &mut State,
    accessions: &Accessions,
) -> Result<Answer, Failure> {
    if !state.is_here() || !state.offer.status.is_open() {
        let (delivery, status) = (&state.offer.delivery, state.offer.status.word());
        let message = format!("{delivery} is {status}, and {} here: it cannot be acknowledged", state.here());
        return Err(Failure::new(Exit::State, message));
    }
    // The center may delete its copy after this: it is said only of bytes that were read just now.
    let verified = block_in_place(|| verify::pulled(&place.directory, &place.settings, state))?;
    let plain = block_in_place(|| decrypt::measured(&place.directory, state))?;
    let said = acknowledge::accepted(state, &verified, &plain, accessions);
    sender.send(state, said).await
}

async fn recalled(sender: &Sender<'_>, state: &mut State) -> Result<Answer, Failure> {
    let delivery = state.offer.delivery.clone();
    if state.offer.status != Status::Recalled {
        return Err(Failure::new(Exit::State, format!("{delivery} is {}, not recalled", state.offer.status.word())));
    }
    let pulled = state.pulled.as_ref().map(|pulled| pulled.entries.clone());
    let entries = match pulled {
        Some(entries) => entries,
        None => entries(sender.center, sender.tries, &delivery).await?,
    };
    let refusal = Refusal { reason: Reason::Policy, path: None };
    let said = acknowledge::refused(&entries, &refusal, Some("recalled by the center; out of use here"));
    sender.send(state, said).await
}

impl Refuse {
    pub(super) async fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        let _lock = place.directory.lock().map_err(Stop::from)?;
        let center = place.center()?;
        let tries = self.patience.tries;
        feed::refresh(&place.directory, &center, tries, 0).await.map_err(Stop::from)?;
        let mut states = place.states(std::slice::from_ref(&self.delivery), |_| true)?;
        let Some(state) = states.first_mut() else { return Ok(Exit::NotFound) };
        let entries = entries(&center, tries, &self.delivery).await.map_err(Stop::from)?;
        let refusal = Refusal { reason: self.reason, path: self.file.clone() };
        let said = acknowledge::refused(&entries, &refusal, self.text.as_deref());
        if said.is_empty() {
            let file = self.file.unwrap_or_default();
            let message = format!("{} has no file `{}`", self.delivery, file.escape_debug());
            return Err(Stop::new(Exit::NotFound, message).into());
        }
        let (directory, settings) = (&place.directory, &place.settings);
        let sender = Sender { directory, center: &center, settings, tries, copies: None };
        let answer = told(sender.send(state, said).await.map_err(Stop::from)?, output);
        if output.json {
            output.json(&answer);
        }
        Ok(Exit::Done)
    }
}

/// The files of an offer, whatever its status.
pub(super) async fn entries(center: &Arc<Center>, tries: u32, delivery: &str) -> Result<Vec<Entry>, Failure> {
    let detail: Detail = center.patient_detail(tries, delivery).await?;
    detail.check().map_err(|wrong| Failure::new(Exit::CheckFailed, format!("offer {delivery}: {wrong}")))?;
    Ok(detail.entries)
}

fn told(answer: Answer, output: Output) -> Answer {
    let Answer { delivery, receipt, status, files, .. } = &answer;
    output.say(plain(&format!("{delivery}: {} files, receipt {receipt}; it is {}", files.len(), status.word())));
    answer
}
