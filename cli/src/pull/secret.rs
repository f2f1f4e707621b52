//! Secrets on their way in: tokens, passphrases, keys. They come from files, the environment or a terminal, never from a command line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use kentai_engine::audit::checkpoint::Secret;
use kentai_engine::handoff::crypt4gh::key::SecretKey;
use kentai_engine::handoff::crypt4gh::keyfile::{self, TEXT_BYTES_MAX};
use kentai_engine::handoff::receipt::{NAMESPACE, Receipt};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Failure;
use crate::exit::Exit;

/// The passphrase of the secret key, for those who have no terminal and no file.
const PASSPHRASE: &str = "KENTAI_PULL_PASSPHRASE";

/// The first line of a file, without its end.
pub(crate) fn line_of(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = text_of(path)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().trim_end_matches('\r').to_owned()))
}

fn text_of(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let fail = |error: io::Error| Failure::disk(&format!("read {}", path.display()), &error);
    let mut text = Zeroizing::new(String::with_capacity(TEXT_BYTES_MAX + 1));
    let file = File::open(path).map_err(fail)?;
    file.take(TEXT_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(fail)?;
    Ok(text)
}

/// The key that opens what is encrypted. Asks for its passphrase where it has one: in the file that is named, in
/// `KENTAI_PULL_PASSPHRASE`, on the terminal.
pub(crate) fn secret_key(path: &Path, passphrase_file: Option<&Path>) -> Result<SecretKey, Failure> {
    let text = text_of(path)?;
    let bad = |error: keyfile::Error| Failure::new(Exit::Usage, format!("the key {}: {error}", path.display()));
    match keyfile::read_secret(&text, None) {
        Err(keyfile::Error::Locked) => {}
        other => return other.map_err(bad),
    }
    let passphrase = match (passphrase_file, std::env::var(PASSPHRASE)) {
        (Some(file), _) => line_of(file)?,
        (None, Ok(told)) => Zeroizing::new(told),
        (None, Err(_)) => ask(&format!("passphrase of {}: ", path.display()))?,
    };
    keyfile::read_secret(&text, Some(&passphrase)).map_err(bad)
}

/// Signs a receipt with an OpenSSH key. One with a passphrase is left to `ssh-keygen`, which asks the agent or the person.
pub(crate) fn sign(receipt: Receipt, delivery: &str, path: &Path) -> Result<Receipt, Failure> {
    let bad = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("the receipt cannot be signed with {}: {error}", path.display()))
    };
    let text = text_of(path)?;
    match keyfile::read_signing(&text) {
        Ok(secret) => receipt.sign(delivery, &secret).map_err(|error| bad(&error)),
        Err(keyfile::Error::SshLocked) => {
            let statement = receipt.statement(delivery).map_err(|error| bad(&error))?;
            let armor = ssh_keygen(&statement, path).map_err(|error| bad(&error))?;
            receipt.signed(delivery, armor).map_err(|error| bad(&error))
        }
        Err(error) => Err(bad(&error)),
    }
}

/// Can this key sign receipts at all? A locked one is believed.
pub(crate) fn check_signing(path: &Path) -> Result<Option<Secret>, Failure> {
    match keyfile::read_signing(&text_of(path)?) {
        Ok(secret) => Ok(Some(secret)),
        Err(keyfile::Error::SshLocked) => Ok(None),
        Err(error) => Err(Failure::new(Exit::Usage, format!("the key {}: {error}", path.display()))),
    }
}

fn ssh_keygen(statement: &str, key: &Path) -> io::Result<String> {
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("a key with a passphrase needs ssh-keygen: {error}")))?;
    // It reads all before it writes: no pipe can fill up against the other.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(statement.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            "ssh-keygen did not sign; add the key to an agent (`ssh-add`) for use without a terminal",
        ));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

/// A terminal that does not show what is typed, until it is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    let none = |_| {
        let message =
            format!("there is no terminal to ask for the passphrase: --passphrase-file FILE, or {PASSPHRASE}");
        Failure::new(Exit::Usage, message)
    };
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(none)?;
    let fail = |error: io::Error| Failure::disk("ask on the terminal", &error);
    terminal.write_all(question.as_bytes()).map_err(fail)?;
    let mut line = Zeroizing::new(String::with_capacity(1024));
    {
        let before = tcgetattr(&terminal).map_err(|error| fail(error.into()))?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden).map_err(|error| fail(error.into()))?;
        let hidden = Hidden { terminal: &terminal, before };
        BufReader::new(hidden.terminal).take(1024).read_line(&mut line).map_err(fail)?;
    }
    terminal.write_all(b"\n").map_err(fail)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
