//! `provenance verify`: is a package what its sender gave away? Asks nobody: a folder, and what its reader holds of keys and logs.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use kentai_engine::audit;
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::handoff::crypt4gh::key::SecretKey;
use kentai_engine::handoff::crypt4gh::keyfile;
use kentai_engine::handoff::sshsig;
use kentai_engine::handoff::verify::{Fault, Report, Watched, verify};
use kentai_engine::store::package;
use serde_json::json;
use zeroize::Zeroizing;

use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};

/// Where a passphrase may come from.
const PASSPHRASE: &str = "KENTAI_PASSPHRASE";

/// Arguments of `provenance verify`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai provenance verify outbox/S0001.r01k… --key center.pub
  kentai provenance verify S0001.r01k… --key 'ssh-ed25519 AAAA… center' --audit audit.jsonl
  KENTAI_PASSPHRASE=… kentai provenance verify S0001.r01k… --key center.pub --identity ours.sec

Ends with 0 when every byte is what the sender signed, with 3 when anything is not.")]
pub(crate) struct Verify {
    /// The package's folder
    package: PathBuf,
    /// The sender's public key, got from elsewhere: a file or its content, as ssh-keygen or the site writes it
    #[arg(long, value_name = "FILE|LINE")]
    key: Option<String>,
    /// The sender's exported audit log: the package's checkpoint must be part of it
    #[arg(long, value_name = "EXPORT")]
    audit: Option<PathBuf>,
    /// A Crypt4GH secret key: what is encrypted for it is checked too. Its passphrase is read from KENTAI_PASSPHRASE
    #[arg(long, value_name = "KEYFILE")]
    identity: Option<PathBuf>,
    /// A file whose first line is the passphrase
    #[arg(long, value_name = "FILE", requires = "identity")]
    passphrase_file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, output: Output) -> anyhow::Result<Exit> {
        let key = self.key.as_deref().map(public).transpose()?;
        let identity = self.identity.as_deref().map(|path| self.secret(path)).transpose()?;
        let found = package::measure(&self.package, identity.as_ref()).map_err(|error| {
            let place = self.package.display();
            Stop::new(Exit::NotFound, format!("there is no package at {place}: {error}"))
        })?;
        let mut report = verify(&found, key.as_ref());
        if let Some(export) = &self.audit {
            in_export(&mut report, export, key.as_ref())?;
        }
        let encrypted = report.encrypted.saturating_sub(report.decrypted);
        if identity.is_none() && encrypted > 0 {
            report
                .notes
                .push(format!("{encrypted} file(s) are encrypted: what is in them was not looked at (--identity)"));
        }
        Ok(self.tell(&report, key.is_some(), output))
    }

    fn secret(&self, path: &Path) -> Result<SecretKey, Stop> {
        let text = small(path)?;
        let given = match &self.passphrase_file {
            Some(file) => Some(first_line(&small(file)?)),
            None => std::env::var(PASSPHRASE).ok().map(Zeroizing::new),
        };
        let passphrase = given.as_ref().map(|text| text.as_str());
        keyfile::read_secret(&text, passphrase).map_err(|error| {
            let place = path.display();
            let how = if error == keyfile::Error::Locked {
                format!(" ({PASSPHRASE}, or --passphrase-file)")
            } else {
                String::new()
            };
            Stop::new(Exit::Usage, format!("{place}: {error}{how}"))
        })
    }

    fn tell(&self, report: &Report, vouched: bool, output: Output) -> Exit {
        let is_good = report.faults.is_empty();
        if output.json {
            output.json(&json!({
                "ok": is_good,
                "delivery": report.delivery,
                "specimen": report.specimen,
                "sender": report.sender,
                "receiver": report.receiver,
                "files": report.files,
                "bytes": report.bytes,
                "encrypted": report.encrypted,
                "decrypted": report.decrypted,
                "signed_by": report.signed_by.as_ref().map(sshsig::line),
                "vouched": vouched && report.signed_by.is_some(),
                "checkpoint": report.checkpoint,
                "faults": report.faults.iter().map(|fault| json!({ "file": fault.file, "reason": fault.reason })).collect::<Vec<_>>(),
                "notes": report.notes,
            }));
            return exit(is_good);
        }
        for fault in &report.faults {
            output.line(plain(&format!("{}: {}", fault.file, fault.reason)));
        }
        report.notes.iter().for_each(|note| output.say(plain(note)));
        let place = self.package.display();
        output.line(plain(&if is_good {
            let Report { delivery, specimen, sender, receiver, files, bytes, .. } = report;
            format!("{place}: delivery {delivery} of {specimen} from {sender} to {receiver}: {files} files, {bytes} bytes, all as they were signed")
        } else {
            format!("{place}: {} thing(s) are wrong; do not use this package, and tell its sender", report.faults.len())
        }));
        exit(is_good)
    }
}

fn exit(is_good: bool) -> Exit {
    if is_good { Exit::Done } else { Exit::CheckFailed }
}

/// The package's checkpoint must be in the export, and the export be true.
fn in_export(report: &mut Report, export: &Path, key: Option<&Public>) -> Result<(), Stop> {
    let wrong = |reason: String| Fault { file: export.display().to_string(), reason };
    let from = File::open(export).map_err(|error| unreadable(export, &error))?;
    let Some(checkpoint) = &report.checkpoint else {
        report.faults.push(wrong("the package holds no checkpoint to look for".into()));
        return Ok(());
    };
    let mut watched = Watched::new(from, checkpoint);
    let read = audit::verify::verify(BufReader::new(&mut watched), key.or(report.signed_by.as_ref()));
    match read {
        Err(error) => report.faults.push(wrong(error.to_string())),
        Ok(_) if !watched.found() => {
            let events = checkpoint.stand.events;
            report
                .faults
                .push(wrong(format!("it does not hold the package's checkpoint, which is about event {events}")));
        }
        Ok(found) => report.notes.push(format!("its checkpoint is part of the log of {}", found.site)),
    }
    Ok(())
}

/// A key in one of its spellings, or a file with one.
fn public(text: &str) -> Result<Public, Stop> {
    let spelled = |text: &str| Public::parse(text.trim()).or_else(|| sshsig::parse_line(text));
    if let Some(key) = spelled(text) {
        return Ok(key);
    }
    let content = small(Path::new(text)).map_err(|_| {
        let message = format!("`{}` is no ssh-ed25519 public key, and no file with one", text.escape_debug());
        Stop::new(Exit::Usage, message)
    })?;
    spelled(&content).ok_or_else(|| Stop::new(Exit::Usage, format!("{text} holds no ssh-ed25519 public key")))
}

/// A key's file is small: whatever is longer is none.
fn small(path: &Path) -> Result<Zeroizing<String>, Stop> {
    let mut text = Zeroizing::new(String::new());
    let limit = keyfile::TEXT_BYTES_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

fn first_line(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Stop {
    Stop::new(Exit::NotFound, format!("{} cannot be read: {error}", path.display()))
}
