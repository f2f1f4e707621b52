//! The site's socket: made for its owner only, never taken from a server that still answers.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Bytes of a socket's path at most (`sun_path` of unix(7), with its end).
const PATH_BYTES_MAX: usize = 107;

/// Why the socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum BindError {
    #[error("a server answers at {0} already")]
    Answered(PathBuf),
    #[error("{0} is not a socket, and it is not ours to remove")]
    Other(PathBuf),
    #[error("the path of the socket {0} is longer than 107 bytes: put the site at a shorter one")]
    TooLong(PathBuf),
    #[error("make the socket {path}")]
    Io { path: PathBuf, source: io::Error },
}

/// Listens at `path` with mode 0600. A socket that nobody answers is a dead server's and is replaced.
///
/// The directory is made for its owner only when it is not there, and loses others' right to write: whoever may write there
/// could put a socket of their own in this one's place.
///
/// # Errors
/// When a server answers there, something else lies there, or the disk refuses.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn bind(path: &Path) -> Result<UnixListener, BindError> {
    if path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(BindError::TooLong(path.to_owned()));
    }
    let at = |source| BindError::Io { path: path.to_owned(), source };
    prepare_directory(path.parent().unwrap_or(Path::new("."))).map_err(at)?;
    remove_stale(path)?;
    let listener = UnixListener::bind(path).map_err(at)?;
    // Between these two lines the mode is the umask's; whoever slips in is still asked who they are.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(at)?;
    Ok(listener)
}

fn prepare_directory(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mode = std::fs::metadata(directory)?.permissions().mode();
    let (others_write, sticky) = (mode & 0o022 != 0, mode & 0o1000 != 0);
    if others_write && !sticky {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(mode & 0o7755))?;
    }
    Ok(())
}

fn remove_stale(path: &Path) -> Result<(), BindError> {
    let at = |source| BindError::Io { path: path.to_owned(), source };
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(error)),
    };
    if !found.file_type().is_socket() {
        return Err(BindError::Other(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(BindError::Answered(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(at),
        Err(error) => Err(at(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    #[tokio::test]
    async fn the_socket_and_its_directory_are_the_owners_only() {
        let directory = directory();
        let path = directory.path().join("run/kentai.sock");
        let _listener = bind(&path).expect("bound");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&directory.path().join("run")), 0o700);
    }

    #[tokio::test]
    async fn a_directory_loses_others_right_to_write() {
        let directory = directory();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
        let _listener = bind(&directory.path().join("kentai.sock")).expect("bound");
        assert_eq!(std::fs::metadata(directory.path()).expect("there").permissions().mode() & 0o777, 0o755);
    }

    #[tokio::test]
    async fn a_dead_servers_socket_is_replaced_and_a_living_ones_is_not() {
        let directory = directory();
        let path = directory.path().join("kentai.sock");
        drop(bind(&path).expect("bound"));
        assert!(path.exists(), "a crash leaves the socket behind");
        let _living = bind(&path).expect("replaced");
        assert!(matches!(bind(&path), Err(BindError::Answered(_))));
    }

    #[tokio::test]
    async fn a_file_in_the_sockets_place_is_left_alone() {
        let directory = directory();
        let path = directory.path().join("kentai.sock");
        std::fs::write(&path, "mine").expect("written");
        assert!(matches!(bind(&path), Err(BindError::Other(_))));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine");
    }

    #[tokio::test]
    async fn a_path_that_no_socket_can_have_is_told_apart() {
        let path = Path::new("/tmp").join("x".repeat(200));
        assert!(matches!(bind(&path), Err(BindError::TooLong(_))));
    }
}
