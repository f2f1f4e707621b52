//! Receipts: what is said of a package, by whom it is signed, and what the center answers. What is said follows from the bytes that
//! lie here, read again; its id follows from what is said, so that saying it again is the same receipt.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kentai_engine::handoff::offer::{Entry, FileStatus};
use kentai_engine::handoff::receipt::proof;
use kentai_engine::handoff::receipt::{Answer, Outcome, Reason, Receipt, Said};
use serde_json::json;

use super::directory::Directory;
use super::http::{Center, Trouble, patiently};
use super::settings::Settings;
use super::state::{Sent, State};
use super::verify::Verified;
use super::{Failure, Refusal, secret, verify};
use crate::exit::Exit;

/// Stands for the id while it is computed.
const NO_ID: &str = "-";

/// Sends receipts of one receiver.
pub(crate) struct Sender<'a> {
    pub directory: &'a Directory,
    pub center: &'a Arc<Center>,
    pub settings: &'a Settings,
    pub tries: u32,
    /// How many copies the receiver keeps, when it says so.
    pub copies: Option<u32>,
}

/// What the receiver calls files: by delivery (empty where the table names none) and path.
pub(crate) type Accessions = BTreeMap<(String, String), String>;

/// Every file is here with these checksums.
pub(crate) fn accepted(
    state: &State,
    verified: &Verified,
    plain_sha256: &BTreeMap<String, String>,
    accessions: &Accessions,
) -> Vec<Said> {
    let accession = |path: &str| {
        let name = path.strip_prefix("data/").unwrap_or(path);
        let keys = [(state.offer.delivery.as_str(), path), (&state.offer.delivery, name), ("", path), ("", name)];
        keys.into_iter().find_map(|(delivery, path)| accessions.get(&(delivery.to_owned(), path.to_owned())).cloned())
    };
    let said = |(path, found): (&String, &super::measure::Measured)| Said {
        path: path.clone(),
        outcome: Outcome::Accepted {
            sha256: found.sha256.clone(),
            plain_sha256: plain_sha256.get(path).cloned(),
            accession: accession(path),
        },
    };
    verified.files.iter().map(said).collect()
}

/// These files are not wanted; all of them when the refusal names none.
pub(crate) fn refused(entries: &[Entry], refusal: &Refusal, text: Option<&str>) -> Vec<Said> {
    let named = entries.iter().filter(|entry| refusal.path.as_ref().is_none_or(|path| *path == entry.path));
    let said = |entry: &Entry| {
        // A center takes one line of a certain length.
        let line = |text: &str| text.chars().filter(|c| !c.is_control()).take(500).collect();
        let text: Option<String> = text.map(line).filter(|line: &String| !line.is_empty());
        Said { path: entry.path.clone(), outcome: Outcome::Refused { reason: refusal.reason, text } }
    };
    named.map(said).collect()
}

/// `FILE.csv` with the columns `file` and `accession`, and `delivery` where it is of several.
pub(crate) fn accessions(path: &Path) -> Result<Accessions, Failure> {
    let bad = |line: u64, why: &str| {
        Failure::new(Exit::CheckFailed, format!("{}, line {line}: {why}; nothing was sent", path.display()))
    };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| bad(1, &error.to_string()))?;
    let head = reader.headers().map_err(|error| bad(1, &error.to_string()))?.clone();
    let column = |name: &str| head.iter().position(|found| found.trim_start_matches('\u{feff}') == name);
    let file = column("file").ok_or_else(|| bad(1, "there is no column `file`"))?;
    let accession = column("accession").ok_or_else(|| bad(1, "there is no column `accession`"))?;
    let delivery = column("delivery");
    let mut found = Accessions::new();
    for row in reader.records() {
        let row =
            row.map_err(|error| bad(error.position().map_or(0, csv::Position::line), "it is no row of this table"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |column: usize| row.get(column).unwrap_or_default().to_owned();
        let (key, value) = ((delivery.map_or_else(String::new, cell), cell(file)), cell(accession));
        if key.1.is_empty() || value.is_empty() {
            return Err(bad(line, "a file or an accession is missing"));
        }
        if found.insert(key, value).is_some() {
            return Err(bad(line, "this file is there twice"));
        }
    }
    Ok(found)
}

/// Files that the table names and no package has: an accession must not get lost by a slip of the pen. Rows of deliveries that are not
/// spoken of wait for their turn.
pub(crate) fn check_accessions(states: &[State], accessions: &Accessions) -> Result<(), Failure> {
    let has = |state: &State, file: &str| {
        let entries = state.pulled.iter().flat_map(|pulled| &pulled.entries);
        entries.into_iter().any(|entry| entry.path == file || entry.payload() == Some(file))
    };
    for (of, file) in accessions.keys() {
        let mut meant = states.iter().filter(|state| of.is_empty() || state.offer.delivery == *of).peekable();
        let is_later = !of.is_empty() && meant.peek().is_none();
        if !is_later && !meant.any(|state| has(state, file)) {
            let message = format!("the table of accessions names `{file}`, which is not there; nothing was sent");
            return Err(Failure::new(Exit::CheckFailed, message));
        }
    }
    Ok(())
}

impl Sender<'_> {
    /// Says it, keeps the answer, and writes down that it was said.
    pub(crate) async fn send(&self, state: &mut State, files: Vec<Said>) -> Result<Answer, Failure> {
        let delivery = state.offer.delivery.clone();
        let bad =
            |why: &dyn std::fmt::Display| Failure::new(Exit::CheckFailed, format!("the receipt of {delivery}: {why}"));
        let receipt = |id: &str, files: Vec<Said>| {
            let receipt = Receipt::new(id, files)?;
            match self.copies {
                Some(copies) => receipt.of_copies(copies),
                None => Ok(receipt),
            }
        };
        let draft = receipt(NO_ID, files.clone()).map_err(|wrong| bad(&wrong))?;
        let digest = draft.digest(&delivery).map_err(|wrong| bad(&wrong))?;
        let id = format!("kentai-{}", &digest[..32]);
        let mut receipt = receipt(&id, files).map_err(|wrong| bad(&wrong))?;
        if let Some(key) = &self.settings.receipt_key {
            receipt = secret::sign(receipt, &delivery, key)?;
        }
        let all_accepted = receipt.files().iter().all(|said| matches!(said.outcome, Outcome::Accepted { .. }));
        // Written before it is sent: whatever happens then, it is known what may have been said.
        let place =
            self.directory.save_receipt(&delivery, &id, &json!({ "delivery": delivery, "receipt": receipt }))?;
        let answer = patiently(self.tries, async || self.center.receipt(&delivery, &receipt).await).await;
        let answer = answer.map_err(Trouble::failure)?;
        if answer.receipt != id || answer.delivery != delivery {
            return Err(
                Trouble::Odd(format!("the answer is to receipt {} of {}", answer.receipt, answer.delivery)).failure()
            );
        }
        let document = json!({ "delivery": delivery, "receipt": receipt, "answer": answer });
        self.directory.save_receipt(&delivery, &id, &document)?;
        if let Some(key) = verify::witness(self.settings, state)? {
            proof::prove(&document, &key).map_err(|wrong| unproven(&place, &wrong))?;
        }
        let taken: BTreeMap<&str, FileStatus> =
            answer.files.iter().map(|file| (file.path.as_str(), file.status)).collect();
        let heard = receipt.files().iter().all(|said| taken.get(said.path.as_str()) == Some(&FileStatus::Accepted));
        let manifest_sha256 = state.pulled.as_ref().map(|pulled| pulled.manifest_sha256.clone());
        state.receipt = Some(Sent { receipt: id, manifest_sha256, accepted: all_accepted && heard });
        self.directory.save(state)?;
        if all_accepted && !heard {
            let other = answer.files.iter().find(|file| file.status != FileStatus::Accepted);
            let which = other.map_or_else(String::new, |file| {
                format!(": `{}` {}", file.path, file.reason.as_deref().unwrap_or("does not match what it offered"))
            });
            let message =
                format!("the center does NOT take the receipt of {delivery} as it was meant{which}; see {place}");
            return Err(Failure::new(Exit::CheckFailed, message));
        }
        Ok(answer)
    }
}

/// What was kept of the newest receipt, checked without asking anybody; in words.
pub(crate) fn proven(directory: &Directory, settings: &Settings, state: &State) -> Result<Option<String>, Failure> {
    let Some(sent) = &state.receipt else { return Ok(None) };
    let id = &sent.receipt;
    let (place, document) = directory.receipt(&state.offer.delivery, id)?;
    let Some(key) = verify::witness(settings, state)? else {
        return Ok(Some(format!("receipt {id} is not checked, because nobody's key is known")));
    };
    let proven = proof::prove(&document, &key).map_err(|wrong| unproven(&place, &wrong))?;
    Ok(Some(match proven {
        Some(proven) => {
            let (seq, outcome) = (proven.seq, proven.outcome);
            format!("receipt {id} is proven by event {seq} of the center's log: {outcome}")
        }
        None => format!("receipt {id} came without a proof"),
    }))
}

fn unproven(place: &str, wrong: &proof::Unproven) -> Failure {
    let remedy = "the answer does NOT prove that the center took the receipt; acknowledge again, and ask the center";
    Failure::new(Exit::CheckFailed, format!("{place}: {wrong}; {remedy}"))
}

/// A reason as a person writes it.
pub(crate) fn reason(word: &str) -> Result<Reason, String> {
    let known = Reason::ALL.map(Reason::word).join(", ");
    Reason::parse(word).ok_or_else(|| format!("known are {known}"))
}
