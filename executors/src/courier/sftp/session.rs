//! SFTP's verbs over one connection, with the extensions that the server has. It knows paths and bytes, and nothing of packages.

use std::any::Any;
use std::fmt;

use futures_util::stream::{FuturesOrdered, FuturesUnordered, TryStreamExt};
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error as Said;
use russh_sftp::protocol::{FileAttributes, FileType, OpenFlags, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

/// What every server takes in one packet, in bytes (draft-ietf-secsh-filexfer-02, section 3).
const PACKET_BYTES: usize = 32 << 10;
/// Packets that are not answered yet; with their size what is on the line at once.
const PACKETS_AT_ONCE: usize = 64;
/// A server may write slowly, in seconds; one that is gone is noticed by the connection.
const ANSWER_MAX_S: u64 = 300;
/// Entries of a folder; a package has a few dozen.
const NAMES_MAX: usize = 10_000;

/// Why the server did not do what it was asked for.
pub(super) struct Failure(Said);

impl Failure {
    fn code(&self) -> Option<StatusCode> {
        match &self.0 {
            Said::Status(status) => Some(status.status_code),
            _ => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.code() == Some(StatusCode::NoSuchFile)
    }

    pub(super) fn is_denied(&self) -> bool {
        self.code() == Some(StatusCode::PermissionDenied)
    }

    /// "Failure": what servers say of everything that has no word of its own, a full disk and a quota among it.
    pub(super) fn is_unnamed(&self) -> bool {
        self.code() == Some(StatusCode::Failure)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // Most servers repeat the code as their message.
            Said::Status(status) if status.error_message.eq_ignore_ascii_case(&status.status_code.to_string()) => {
                write!(f, "{}", status.status_code)
            }
            said => write!(f, "{said}"),
        }
    }
}

type Done<T> = Result<T, Failure>;

/// A connection.
pub(super) struct Session {
    sftp: RawSftpSession,
    can_sync: bool,
    can_say_free: bool,
    /// The connection lives as long as this.
    _held: Box<dyn Any + Send + Sync>,
}

/// An open file.
pub(super) struct Open(String);

pub(super) fn is_file(found: &FileAttributes) -> bool {
    found.file_type() == FileType::File
}

pub(super) fn is_folder(found: &FileAttributes) -> bool {
    found.file_type() == FileType::Dir
}

impl Session {
    /// Over this stream, which `held` keeps open.
    pub(super) async fn new(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        held: Box<dyn Any + Send + Sync>,
    ) -> Done<Self> {
        let sftp = RawSftpSession::new(stream);
        sftp.set_timeout(ANSWER_MAX_S);
        let version = sftp.init().await.map_err(Failure)?;
        let has = |name: &str| version.extensions.contains_key(name);
        let (can_sync, can_say_free) = (has("fsync@openssh.com"), has("statvfs@openssh.com"));
        Ok(Self { sftp, can_sync, can_say_free, _held: held })
    }

    /// What lies there; a link is not followed.
    pub(super) async fn look(&self, path: &str) -> Done<Option<FileAttributes>> {
        match self.sftp.lstat(path).await.map_err(Failure) {
            Ok(found) => Ok(Some(found.attrs)),
            Err(failure) if failure.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Done<Vec<String>> {
        let open = self.sftp.opendir(folder).await.map_err(Failure)?.handle;
        let mut names = Vec::new();
        loop {
            match self.sftp.readdir(&open).await {
                Ok(page) => names.extend(page.files.into_iter().map(|file| file.filename)),
                Err(Said::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(said) => return Err(Failure(said)),
            }
            if names.len() > NAMES_MAX {
                return Err(Failure(Said::UnexpectedBehavior(format!("{folder} has no end"))));
            }
        }
        self.sftp.close(open).await.map_err(Failure)?;
        // A name with a `/` is no name: it would lead out of the folder.
        names.retain(|name| !matches!(name.as_str(), "." | "..") && !name.contains('/'));
        Ok(names)
    }

    pub(super) async fn make(&self, folder: &str) -> Done<()> {
        self.sftp.mkdir(folder, FileAttributes::empty()).await.map(drop).map_err(Failure)
    }

    /// Fails when anything has the new name.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Done<()> {
        self.sftp.rename(from, to).await.map(drop).map_err(Failure)
    }

    /// A file, or a folder with everything in it, if it is there.
    pub(super) async fn remove_all(&self, path: &str) -> Done<()> {
        // Each folder is met twice: once for what is in it, once for itself.
        let mut left = vec![(path.to_owned(), false)];
        while let Some((path, is_emptied)) = left.pop() {
            let done = match self.look(&path).await? {
                None => Ok(()),
                Some(found) if !is_folder(&found) => self.sftp.remove(&path).await.map(drop),
                Some(_) if is_emptied => self.sftp.rmdir(&path).await.map(drop),
                Some(_) => {
                    let inside = self.list(&path).await?;
                    left.push((path.clone(), true));
                    left.extend(inside.into_iter().map(|name| (format!("{path}/{name}"), false)));
                    Ok(())
                }
            };
            done.map_err(Failure)?;
        }
        Ok(())
    }

    /// Opens a file for reading and, when asked for, for writing; then it is made when it is not there.
    pub(super) async fn open(&self, path: &str, writes: bool) -> Done<Open> {
        let flags = if writes { OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE } else { OpenFlags::READ };
        let opened = self.sftp.open(path, flags, FileAttributes::empty()).await.map_err(Failure)?;
        Ok(Open(opened.handle))
    }

    /// What the file holds there; shorter than asked for only when it ends.
    pub(super) async fn read(&self, file: &Open, offset: u64, size: usize) -> Done<Vec<u8>> {
        let mut found = vec![0; size];
        let (mut asked, mut counts) = (FuturesOrdered::new(), Vec::new());
        for (into, offset) in found.chunks_mut(PACKET_BYTES).zip((offset..).step_by(PACKET_BYTES)) {
            if asked.len() == PACKETS_AT_ONCE {
                counts.extend(asked.try_next().await?);
            }
            asked.push_back(self.read_packet(file, offset, into));
        }
        while let Some(count) = asked.try_next().await? {
            counts.push(count);
        }
        drop(asked);
        // What follows a short packet is behind the end.
        let full = counts.iter().take_while(|count| **count == PACKET_BYTES).count();
        let whole: usize = counts.iter().take(full + 1).sum();
        found.truncate(whole);
        Ok(found)
    }

    /// A server may give less than was asked for.
    async fn read_packet(&self, file: &Open, offset: u64, into: &mut [u8]) -> Done<usize> {
        let mut count = 0;
        while count < into.len() {
            let wanted = u32::try_from(into.len() - count).unwrap_or(u32::MAX);
            let data = match self.sftp.read(&file.0, offset + count as u64, wanted).await {
                Ok(data) => data.data,
                Err(Said::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(said) => return Err(Failure(said)),
            };
            if data.is_empty() || data.len() > into.len() - count {
                return Err(Failure(Said::UnexpectedBehavior("it gave another number of bytes than asked for".into())));
            }
            into[count..count + data.len()].copy_from_slice(&data);
            count += data.len();
        }
        Ok(count)
    }

    pub(super) async fn write(&self, file: &Open, offset: u64, bytes: &[u8]) -> Done<()> {
        let mut sent = FuturesUnordered::new();
        for (packet, offset) in bytes.chunks(PACKET_BYTES).zip((offset..).step_by(PACKET_BYTES)) {
            if sent.len() == PACKETS_AT_ONCE {
                sent.try_next().await.map_err(Failure)?;
            }
            sent.push(self.sftp.write(&file.0, offset, packet.to_vec()));
        }
        while sent.try_next().await.map_err(Failure)?.is_some() {}
        Ok(())
    }

    /// Bytes that the open file has; none when the server does not say.
    pub(super) async fn size(&self, file: &Open) -> Done<Option<u64>> {
        self.sftp.fstat(&file.0).await.map(|found| found.attrs.size).map_err(Failure)
    }

    /// Brings what was written to the server's disk, where it offers that.
    pub(super) async fn sync(&self, file: &Open) -> Done<()> {
        if self.can_sync { self.sftp.fsync(&file.0).await.map(drop).map_err(Failure) } else { Ok(()) }
    }

    pub(super) async fn close(&self, file: Open) -> Done<()> {
        self.sftp.close(file.0).await.map(drop).map_err(Failure)
    }

    /// Brings a folder's names to the server's disk. Only some servers open folders so: where not, they sync as they like.
    pub(super) async fn sync_folder(&self, folder: &str) {
        if let Ok(open) = self.open(folder, false).await {
            drop(self.sync(&open).await);
            drop(self.close(open).await);
        }
    }

    /// Bytes that may still be written in this folder; none when the server does not say.
    pub(super) async fn free_bytes(&self, folder: &str) -> Option<u64> {
        if !self.can_say_free {
            return None;
        }
        let found = self.sftp.statvfs(folder).await.ok()?;
        found.blocks_avail.checked_mul(found.fragment_size)
    }
}
