//! `pull get`: packages come in, one after the other; with `--acknowledge` all the way to their receipt.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_engine::handoff::crypt4gh::key::SecretKey;
use serde::Serialize;
use tokio::task::block_in_place;

use super::{Patience, Place, Worst, list};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::pull::acknowledge::{self, Accessions, Sender};
use crate::pull::http::Center;
use crate::pull::package::{Options, Puller};
use crate::pull::state::State;
use crate::pull::verify::{self, Verified};
use crate::pull::{Failure, decrypt, feed, secret};

/// Seconds that a center keeps a question without news.
const WAIT: u32 = 50;
/// Before a center that does not answer is asked again by `--follow`.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(60);

/// Arguments of `pull get`.
#[derive(clap::Args, Debug)]
pub(crate) struct Get {
    /// Deliveries, by id
    #[arg(required_unless_present_any = ["all", "follow"])]
    deliveries: Vec<String>,
    /// Everything that is offered and not here
    #[arg(long, conflicts_with = "deliveries")]
    all: bool,
    /// Go on with what will be offered, until interrupted
    #[arg(long, conflicts_with = "deliveries")]
    follow: bool,
    /// Requests at a time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    parallel: u64,
    /// MiB of a file that are asked for at a time
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65536))]
    piece: u64,
    /// Decrypt with the key that login was given
    #[arg(long)]
    decrypt: bool,
    /// File whose first line is the key's passphrase; KENTAI_PULL_PASSPHRASE or the terminal otherwise
    #[arg(long, value_name = "FILE", requires = "decrypt")]
    passphrase_file: Option<PathBuf>,
    /// Tell the center: accepted when all is right, refused with the reason when it is wrong
    #[arg(long)]
    acknowledge: bool,
    #[command(flatten)]
    patience: Patience,
}

/// What came of one delivery.
#[derive(Serialize)]
struct Done {
    delivery: String,
    folder: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Get {
    pub(super) async fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let mut place = Place::open(path)?;
        let _lock = place.directory.lock().map_err(Stop::from)?;
        let center = place.center()?;
        let key = self.key(&place)?;
        let tries = self.patience.tries;
        feed::refresh(&place.directory, &center, tries, 0).await.map_err(Stop::from)?;
        loop {
            let states = place.states(&self.deliveries, |state| self.is_wanted(state))?;
            let (done, exit) = self.all(&mut place, &center, key.as_ref(), states, output).await?;
            if output.json && !(self.follow && done.is_empty()) {
                output.json(&done);
            } else if done.is_empty() && !self.follow {
                output.say("nothing new is offered");
            }
            if !self.follow {
                let noted = list::warn(&place, &place.directory.states().map_err(Stop::from)?, output)?;
                return Ok(if exit == Exit::Done { noted } else { exit });
            }
            if let Err(failure) = feed::refresh(&place.directory, &center, tries, WAIT).await {
                if failure.exit != Exit::Unreachable {
                    return Err(Stop::from(failure).into());
                }
                output.say(plain(&failure.message));
                tokio::time::sleep(PAUSE).await;
            } else if exit != Exit::Done {
                // What failed is tried again, and not at once.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn key(&self, place: &Place) -> anyhow::Result<Option<SecretKey>> {
        if !self.decrypt {
            return Ok(None);
        }
        let none = || Stop::new(Exit::Usage, "no secret key is known: `kentai pull login … --secret-key FILE`");
        let path = place.settings.secret_key.as_ref().ok_or_else(none)?;
        let key = block_in_place(|| secret::secret_key(path, self.passphrase_file.as_deref())).map_err(Stop::from)?;
        Ok(Some(key))
    }

    fn is_wanted(&self, state: &State) -> bool {
        let is_left = (self.decrypt && decrypt::is_wanted(state)) || (self.acknowledge && !state.is_acknowledged());
        state.is_wanted() || (state.is_here() && state.offer.status.is_open() && is_left)
    }

    async fn all(
        &self,
        place: &mut Place,
        center: &Arc<Center>,
        key: Option<&SecretKey>,
        states: Vec<State>,
        output: Output,
    ) -> anyhow::Result<(Vec<Done>, Exit)> {
        let (mut all, mut worst) = (Vec::new(), Worst::default());
        for mut state in states {
            let (delivery, folder) = (state.offer.delivery.clone(), state.offer.folder.clone());
            let done = match self.one(place, center, key, &mut state, output).await {
                Ok(outcome) => {
                    output.say(plain(&format!("{delivery} ({folder}): {outcome}")));
                    Done { delivery, folder, outcome, error: None }
                }
                Err(failure) => {
                    worst.add(failure.exit);
                    output.say(plain(&format!("{delivery} ({folder}): {}", failure.message)));
                    if let Err(other) = self.refuse(place, center, &mut state, &failure).await {
                        output.say(plain(&format!("{delivery}: {}", other.message)));
                    }
                    Done { delivery, folder, outcome: "failed", error: Some(failure.message) }
                }
            };
            all.push(done);
        }
        Ok((all, worst.exit()))
    }

    async fn one(
        &self,
        place: &mut Place,
        center: &Arc<Center>,
        key: Option<&SecretKey>,
        state: &mut State,
        output: Output,
    ) -> Result<&'static str, Failure> {
        let is_left = self.is_wanted(state);
        let verified = if !state.is_here() {
            let tries = self.patience.tries;
            let parallel = usize::try_from(self.parallel).unwrap_or(1);
            let options = Options { parallel, piece_bytes: self.piece << 20, tries, output };
            let puller = Puller { directory: &place.directory, center, options };
            puller.pull(&mut place.settings, state).await?
        } else if is_left {
            block_in_place(|| verify::pulled(&place.directory, &place.settings, state))?
        } else {
            return Ok("is here");
        };
        if let Some(key) = key
            && !state.is_decrypted()
        {
            block_in_place(|| decrypt::decrypt(&place.directory, state, &verified.document, key))?;
        }
        if !self.acknowledge {
            return Ok("pulled");
        }
        self.accept(place, center, state, &verified).await?;
        Ok("acknowledged")
    }

    async fn accept(
        &self,
        place: &Place,
        center: &Arc<Center>,
        state: &mut State,
        verified: &Verified,
    ) -> Result<(), Failure> {
        let plain = block_in_place(|| decrypt::measured(&place.directory, state))?;
        let said = acknowledge::accepted(state, verified, &plain, &Accessions::new());
        self.sender(place, center).send(state, said).await.map(drop)
    }

    /// Says what is wrong, when that is for certain and was asked for.
    async fn refuse(
        &self,
        place: &Place,
        center: &Arc<Center>,
        state: &mut State,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let Some(refusal) = failure.refusal.as_ref().filter(|_| self.acknowledge) else { return Ok(()) };
        let entries = match &state.pulled {
            Some(pulled) if state.is_here() => pulled.entries.clone(),
            _ => super::receipt::entries(center, self.patience.tries, &state.offer.delivery).await?,
        };
        let said = acknowledge::refused(&entries, refusal, Some(&failure.message));
        self.sender(place, center).send(state, said).await.map(drop)
    }

    fn sender<'a>(&self, place: &'a Place, center: &'a Arc<Center>) -> Sender<'a> {
        Sender {
            directory: &place.directory,
            center,
            settings: &place.settings,
            tries: self.patience.tries,
            copies: None,
        }
    }
}
