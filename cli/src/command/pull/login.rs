//! `pull login`: which center, who we are, whom to believe. Tried before it is kept.

use std::path::{Path, PathBuf};

use kentai_engine::handoff::sshsig;
use zeroize::Zeroizing;

use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::pull::directory::Directory;
use crate::pull::http::{Center, base};
use crate::pull::settings::Settings;
use crate::pull::{Failure, feed, secret};

/// Arguments of `pull login`.
#[derive(clap::Args, Debug)]
pub(crate) struct Login {
    /// The center's address, with its scheme: `https://center.example:8443`
    base: String,
    /// File whose first line is the token; KENTAI_TOKEN is taken otherwise
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Client certificate with its chain, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Believe this authority and no other, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Public key that packages must be signed with: a line of OpenSSH, or a file of it
    #[arg(long, value_name = "KEY", conflicts_with = "trust_first")]
    signer: Option<String>,
    /// Pin the key that the first package is signed with
    #[arg(long)]
    trust_first: bool,
    /// Secret key that opens what is encrypted: Crypt4GH, or OpenSSH (ed25519)
    #[arg(long, value_name = "FILE")]
    secret_key: Option<PathBuf>,
    /// OpenSSH key (ed25519) that signs receipts
    #[arg(long, value_name = "FILE")]
    receipt_key: Option<PathBuf>,
}

impl Login {
    pub(super) async fn run(self, path: &Path, token: Option<String>, output: Output) -> anyhow::Result<Exit> {
        let settings = self.settings().map_err(Stop::from)?;
        let directory = Directory::make(path).map_err(Stop::from)?;
        let _lock = directory.lock().map_err(Stop::from)?;
        check_center(&directory, &settings).map_err(Stop::from)?;
        let token = match (&self.token_file, token) {
            (Some(file), _) => Some(secret::line_of(file).map_err(Stop::from)?),
            (None, Some(token)) => Some(Zeroizing::new(token)),
            (None, None) => directory.token().map_err(Stop::from)?,
        };
        let token = token.filter(|token| !token.is_empty());
        let center = std::sync::Arc::new(Center::new(&settings, token.clone()).map_err(Stop::from)?);
        // Nothing is kept that the center does not answer to.
        feed::refresh(&directory, &center, 2, 0).await.map_err(Stop::from)?;
        if let Some(token) = &token {
            directory.save_token(token).map_err(Stop::from)?;
        }
        directory.save_settings(&settings).map_err(Stop::from)?;
        let place = directory.place("");
        if output.json {
            output.json(&settings);
        } else {
            output.say(format!("{} answers; its packages will come to {place}", settings.base));
            if settings.signer.is_none() && !settings.trust_first {
                output.say("nobody's signature is asked for: --signer KEY, or --trust-first, is safer");
            }
            output.say(format!("next: kentai pull get --all --directory {place}"));
        }
        Ok(Exit::Done)
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let absolute = |path: &Option<PathBuf>| -> Result<Option<PathBuf>, Failure> {
            let Some(path) = path else { return Ok(None) };
            // Cron starts elsewhere.
            let found = path
                .canonicalize()
                .map_err(|error| Failure::new(Exit::NotFound, format!("{}: {error}", path.display())))?;
            Ok(Some(found))
        };
        if let Some(key) = &self.receipt_key {
            secret::check_signing(key)?;
        }
        Ok(Settings {
            base: base(&self.base)?.to_string(),
            ca: absolute(&self.ca)?,
            certificate: absolute(&self.certificate)?,
            key: absolute(&self.key)?,
            signer: self.signer.as_deref().map(signer).transpose()?,
            trust_first: self.trust_first,
            secret_key: absolute(&self.secret_key)?,
            receipt_key: absolute(&self.receipt_key)?,
            ..Settings::default()
        })
    }
}

/// The line of a public key, or of the file that is named.
fn signer(given: &str) -> Result<String, Failure> {
    let line = match sshsig::parse_line(given) {
        Some(_) => given.to_owned(),
        None => secret::line_of(Path::new(given))?.to_string(),
    };
    let key = sshsig::parse_line(&line);
    let bad = || Failure::new(Exit::Usage, format!("`{given}` is no ssh-ed25519 public key, and no file of one"));
    Ok(sshsig::line(&key.ok_or_else(bad)?))
}

/// What is known of one center's deliveries is not another's.
fn check_center(directory: &Directory, settings: &Settings) -> Result<(), Failure> {
    let before = directory.settings()?.base;
    if before.is_empty() || before == settings.base || directory.seen()?.cursor.is_none() {
        return Ok(());
    }
    let message = format!("this directory is of {before}; take another one for {}: --directory DIR", settings.base);
    Err(Failure::new(Exit::State, message))
}
