//! A target that is a directory behind SFTP, an archive's inbox for one: a package appears there whole, or not at all.
//!
//! It grows beside its place under another name, is read back and renamed; what an earlier carrier left is compared and kept.
//! The server's key is pinned. It does not know who reads the package, nor what is in it.

mod connect;
mod file;
mod session;

use std::path::PathBuf;

use kentai_engine::port::BoxFuture;
use kentai_engine::port::courier::{Carried, Courier, Entry, Error, Package};
use russh_sftp::protocol::FileAttributes;

use super::turns::Turns;
use super::{check_names, in_sending_order};
use session::{Failure, Session};

/// How it is made sure that what arrived is what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Every file is read back and hashed here.
    Read,
    /// By their sizes, where everything sent would be too much to read again; what an earlier carrier left is read all the same.
    Size,
}

/// What a courier to an SFTP server has to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the target at this site.
    pub target: String,
    /// Name or address.
    pub host: String,
    /// Usually 22.
    pub port: u16,
    /// Account there.
    pub user: String,
    /// File of mode 0600 with a private key in OpenSSH's form, without passphrase, read whenever a package is carried.
    pub key: Option<PathBuf>,
    /// File of mode 0600 with a password, read whenever a package is carried.
    pub password: Option<PathBuf>,
    /// File with the server's keys, as OpenSSH keeps them; no other key is believed.
    pub known_hosts: PathBuf,
    /// Directory there that gets the packages' folders.
    pub directory: String,
    /// How what arrived is compared.
    pub verify: Verify,
}

/// Carries packages into one directory of a server.
pub struct SftpCourier {
    options: Options,
    turns: Turns,
}

impl SftpCourier {
    /// A courier for this server. Nothing is sent yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, turns: Turns::new() }
    }
}

impl Courier for SftpCourier {
    fn carry<'a>(&'a self, package: &'a Package) -> BoxFuture<'a, Result<Carried, Error>> {
        Box::pin(async move {
            check_names(package)?;
            let _turn = self.turns.take(&package.folder).await;
            let session = connect::connect(&self.options).await;
            let session =
                session.map_err(|reason| Error::Unreachable { target: self.options.target.clone(), reason })?;
            Carrier { options: &self.options, session, package }.carry().await
        })
    }
}

/// One package on its way.
struct Carrier<'a> {
    options: &'a Options,
    session: Session,
    package: &'a Package,
}

impl Carrier<'_> {
    async fn carry(&self) -> Result<Carried, Error> {
        let Package { delivery, folder, .. } = self.package;
        let (place, partial) = (self.at(folder), self.at(&format!(".{folder}.partial-{delivery}")));
        loop {
            if self.look(&place).await?.is_some() {
                self.remove_all(&partial).await?;
                return if self.is_same(&place).await? { Ok(self.carried()) } else { Err(self.conflict()) };
            }
            self.fill(&partial).await?;
            if self.publish(&partial, &place).await? {
                return Ok(self.carried());
            }
        }
    }

    /// Fills the folder under its other name; everything in it is compared with what was packed.
    async fn fill(&self, partial: &str) -> Result<(), Error> {
        self.make(partial).await?;
        let mut folders = vec![partial.to_owned()];
        for entry in in_sending_order(self.package) {
            if let Some((folder, _)) = entry.path.split_once('/') {
                let folder = format!("{partial}/{folder}");
                if !folders.contains(&folder) {
                    self.make(&folder).await?;
                    folders.push(folder);
                }
            }
            self.put(entry, &format!("{partial}/{}", entry.path)).await?;
        }
        for folder in folders.iter().rev() {
            self.clear(partial, folder).await?;
            self.session.sync_folder(folder).await;
        }
        Ok(())
    }

    /// Removes what is not of the package: an earlier carrier of another package under the same name has left it.
    async fn clear(&self, partial: &str, folder: &str) -> Result<(), Error> {
        for name in self.list(folder).await? {
            let path = format!("{folder}/{name}");
            let is_ours = |entry: &Entry| {
                let own = format!("{partial}/{}", entry.path);
                own == path || own.starts_with(&format!("{path}/"))
            };
            if !self.package.entries.iter().any(is_ours) {
                self.remove_all(&path).await?;
            }
        }
        Ok(())
    }

    /// Gives the folder its name; false when something got it first.
    async fn publish(&self, partial: &str, place: &str) -> Result<bool, Error> {
        // Never `posix-rename@openssh.com`: that one replaces an empty folder; this one refuses whatever is there.
        match self.session.rename(partial, place).await {
            Ok(()) => {
                self.session.sync_folder(&self.at(".")).await;
                Ok(true)
            }
            Err(_) if self.look(place).await?.is_some() => Ok(false),
            Err(failure) => Err(self.failed(&format!("rename {partial} to {place}"), failure).await),
        }
    }

    /// Is this the very package, carried before?
    async fn is_same(&self, place: &str) -> Result<bool, Error> {
        for entry in &self.package.entries {
            let path = format!("{place}/{}", entry.path);
            let found = self.look(&path).await?;
            if !found.is_some_and(|found| session::is_file(&found) && found.size == Some(entry.size)) {
                return Ok(false);
            }
            // The tag files name every byte of the rest; the rest was compared when it was written.
            if !entry.path.contains('/') && !self.reads_back(entry, &path).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn look(&self, path: &str) -> Result<Option<FileAttributes>, Error> {
        match self.session.look(path).await {
            Ok(found) => Ok(found),
            Err(failure) => Err(self.failed(&format!("look at {path}"), failure).await),
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        match self.session.list(folder).await {
            Ok(names) => Ok(names),
            Err(failure) => Err(self.failed(&format!("list {folder}"), failure).await),
        }
    }

    /// Makes a folder that may be there already.
    async fn make(&self, folder: &str) -> Result<(), Error> {
        match self.look(folder).await? {
            Some(found) if session::is_folder(&found) => return Ok(()),
            Some(_) => self.remove_all(folder).await?,
            None => {}
        }
        match self.session.make(folder).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(&format!("make {folder}"), failure).await),
        }
    }

    /// Removes a file, or a folder with everything in it, if it is there. Links are removed, never followed.
    async fn remove_all(&self, path: &str) -> Result<(), Error> {
        match self.session.remove_all(path).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(&format!("remove {path}"), failure).await),
        }
    }

    /// A path in the target's directory.
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.options.directory.trim_end_matches('/'))
    }

    fn carried(&self) -> Carried {
        Carried { place: self.place() }
    }

    fn place(&self) -> String {
        let Options { user, host, port, .. } = self.options;
        format!("sftp://{user}@{host}:{port}/{}", self.at(&self.package.folder).trim_start_matches('/'))
    }

    fn conflict(&self) -> Error {
        Error::Conflict { place: self.place() }
    }

    async fn failed(&self, what: &str, failure: Failure) -> Error {
        let Options { user, directory, .. } = self.options;
        let mut reason = format!("{what}: {failure}");
        if failure.is_denied() {
            reason = format!("{reason}; let {user} write in {directory}");
        } else if failure.is_absent() {
            reason = format!("{reason}; make {directory} there, or correct `path:`");
        } else if failure.is_unnamed()
            && let Some(free) = self.session.free_bytes(&self.at(".")).await
        {
            // A full disk has no word of its own in SFTP, and is what a person can mend at once.
            reason = format!("{reason}; {free} bytes are free there: if that is too little, make room or ask for it");
        }
        Error::Unreachable { target: self.options.target.clone(), reason }
    }
}
