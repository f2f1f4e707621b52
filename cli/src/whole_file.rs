//! Files that appear whole or not at all. It knows nothing of what is in them.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file whole or not at all, and onto the disk; the mode of one that was there stays.
///
/// # Errors
/// When it cannot be written, synced or given its name; what was there before is still there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes)?;
    put(path, file)
}

/// An empty file beside `path`, to be filled and [`put`] in its place; else it goes when it is dropped.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let path = followed(path);
    // A new file is as open as the person's own mask lets it be, like any that a command makes.
    tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory(&path))
}

/// Gives a file that lies [`beside`] `path` its name, once it is on the disk; the mode of one that was there stays.
///
/// # Errors
/// When it cannot be synced or given its name; what was there before is still there.
pub(crate) fn put(path: &Path, file: NamedTempFile) -> std::io::Result<()> {
    let path = followed(path);
    if let Ok(facts) = std::fs::metadata(&path) {
        file.as_file().set_permissions(facts.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    File::open(directory(&path))?.sync_all()
}

/// A link stays a link: what it points to is replaced.
fn followed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.json");
        replace(&path, b"one").expect("new");
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
        replace(&path, b"two").expect("again");
        assert_eq!(std::fs::read(&path).expect("read"), b"two");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(directory.path()).expect("listed").count(), 1);
        assert!(replace(&directory.path().join("no/a.json"), b"x").is_err());
    }
}
