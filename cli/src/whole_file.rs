//! Files that appear whole or not at all. It knows nothing of what is in them.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes a file whole or not at all, and onto the disk; the mode of one that was there stays.
///
/// # Errors
/// When it cannot be written, synced or given its name; what was there before is still there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A link stays a link: what it points to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new file is as open as the person's own mask lets it be, like any that a command makes.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory)?;
    file.write_all(bytes)?;
    if let Ok(facts) = std::fs::metadata(&path) {
        file.as_file().set_permissions(facts.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
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
