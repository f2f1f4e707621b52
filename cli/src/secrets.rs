//! Secrets of the site file: read when they are needed, from files that nobody else can read, and shown by nothing.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kentai_engine::people::secret::Hidden;

use crate::site::Site;

/// No secret is longer, bytes.
const LENGTH_MAX: u64 = 64 * 1024;

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no secret `{0}` under `secrets:` in kentai.yaml")]
    Unknown(String),
    #[error("read secret `{name}` from {path}: {source}")]
    Read { name: String, path: PathBuf, source: io::Error },
    #[error("secret `{name}`: {path} {reason}")]
    Unfit { name: String, path: PathBuf, reason: &'static str },
}

/// The text of a secret, without white space around it.
pub(crate) fn read(site: &Site, name: &str) -> Result<Hidden, Error> {
    let secret = site.config.secrets.get(name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
    let path = site.directory.join(&secret.file);
    let text = text(&path).map_err(|wrong| match wrong {
        Wrong::Read(source) => Error::Read { name: name.to_owned(), path: path.clone(), source },
        Wrong::Unfit(reason) => Error::Unfit { name: name.to_owned(), path: path.clone(), reason },
    })?;
    Ok(Hidden(text.trim().to_owned()))
}

enum Wrong {
    Read(io::Error),
    Unfit(&'static str),
}

fn text(path: &Path) -> Result<String, Wrong> {
    let file = File::open(path).map_err(Wrong::Read)?;
    // Of the file that was opened, not of the name: it may be another one by now.
    let found = file.metadata().map_err(Wrong::Read)?;
    if !found.is_file() {
        return Err(Wrong::Unfit("is no file"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(Wrong::Unfit("can be read by others: chmod 600"));
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own && found.uid() != 0 {
        return Err(Wrong::Unfit("belongs to another user: chown it to the engine's"));
    }
    let mut text = String::new();
    file.take(LENGTH_MAX + 1).read_to_string(&mut text).map_err(Wrong::Read)?;
    if text.len() as u64 > LENGTH_MAX {
        return Err(Wrong::Unfit("is no secret: it is longer than 64 KiB"));
    }
    if text.trim().is_empty() {
        return Err(Wrong::Unfit("is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_a_file_that_nobody_else_reads_is_read() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("hook");
        std::fs::write(&path, "whsec_x\n").expect("written");
        for (mode, fits) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false), (0o660, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(text(&path).is_ok(), fits, "{mode:o}");
        }
        assert!(text(folder.path()).is_err() && text(&folder.path().join("none")).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        for bad in ["".to_owned(), " \n".to_owned(), "x".repeat(70_000)] {
            std::fs::write(&path, bad).expect("written");
            assert!(text(&path).is_err());
        }
    }
}
