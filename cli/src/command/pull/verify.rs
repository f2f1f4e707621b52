//! `pull verify` and `pull decrypt`: what is here, checked and opened. They ask nobody.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::task::block_in_place;

use super::{Place, Worst};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::pull::{Failure, acknowledge, decrypt, secret, verify};

/// Arguments of `pull verify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Verify {
    /// Deliveries, by id; all that are here otherwise
    deliveries: Vec<String>,
}

/// Arguments of `pull decrypt`.
#[derive(clap::Args, Debug)]
pub(crate) struct Decrypt {
    /// Deliveries, by id; all that are here and not decrypted otherwise
    deliveries: Vec<String>,
    /// Secret key, instead of the one that login was given
    #[arg(long, value_name = "FILE")]
    secret_key: Option<PathBuf>,
    /// File whose first line is the key's passphrase; KENTAI_PULL_PASSPHRASE or the terminal otherwise
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        let states = place.states(&self.deliveries, |state| state.pulled.is_some() && !state.set_aside)?;
        let mut report = Report::default();
        for state in states {
            let said = block_in_place(|| {
                let verified = verify::pulled(&place.directory, &place.settings, &state)?;
                let signed = if verified.signed_by.is_some() { "signed" } else { "not signed" };
                let receipt = acknowledge::proven(&place.directory, &place.settings, &state)?;
                let receipt = receipt.map_or_else(String::new, |said| format!("; {said}"));
                Ok(format!("as it was offered, and {signed}{receipt}"))
            });
            report.add(&state.offer.delivery, said, output);
        }
        Ok(report.end(output))
    }
}

impl Decrypt {
    pub(super) fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        let _lock = place.directory.lock().map_err(Stop::from)?;
        let none = || Stop::new(Exit::Usage, "no secret key is known: --secret-key FILE");
        let key = self.secret_key.as_ref().or(place.settings.secret_key.as_ref()).ok_or_else(none)?;
        let key = block_in_place(|| secret::secret_key(key, self.passphrase_file.as_deref())).map_err(Stop::from)?;
        let states = place.states(&self.deliveries, decrypt::is_wanted)?;
        let mut report = Report::default();
        for mut state in states {
            let delivery = state.offer.delivery.clone();
            let opened = block_in_place(|| {
                let verified = verify::pulled(&place.directory, &place.settings, &state)?;
                decrypt::decrypt(&place.directory, &mut state, &verified.document, &key)
            });
            report.add(&delivery, opened.map(|files| format!("{files} files decrypted")), output);
        }
        Ok(report.end(output))
    }
}

/// What came of each, for people and programs.
#[derive(Default)]
struct Report {
    rows: Vec<serde_json::Value>,
    worst: Worst,
}

impl Report {
    fn add(&mut self, delivery: &str, said: Result<String, Failure>, output: Output) {
        let (is_right, said) = match said {
            Ok(said) => (true, said),
            Err(failure) => {
                self.worst.add(failure.exit);
                (false, failure.message)
            }
        };
        if output.json {
            self.rows.push(json!({ "delivery": delivery, "right": is_right, "said": said }));
        } else if is_right {
            output.line(plain(&format!("{delivery}: {said}")));
        } else {
            // Wrong is said even to those who asked for quiet: it is what the command is for.
            output.line(plain(&format!("{delivery}: WRONG: {said}")));
        }
    }

    fn end(self, output: Output) -> Exit {
        if output.json {
            output.json(&self.rows);
        }
        self.worst.exit()
    }
}
