//! A secret out of a file of the site that nobody else may read. It does not know what the secret opens.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

/// More than any key file has, in bytes.
const BYTES_MAX: u64 = 64 << 10;

/// Reads it; wiped when dropped. The error says what is wrong with the file and what to do, never what is in it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let wrong = |reason: &str| format!("secret file {}: {reason}", path.display());
    // NONBLOCK: opening a pipe would wait for whoever writes into it.
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|error| wrong(&error.to_string()))?;
    let found = file.metadata().map_err(|error| wrong(&error.to_string()))?;
    if !found.is_file() || found.len() > BYTES_MAX {
        return Err(wrong("it is no small regular file"));
    }
    if found.mode() & 0o077 != 0 {
        let mode = found.mode() & 0o777;
        return Err(wrong(&format!("its mode is {mode:04o}; make it 0600, and change the secret if others read it")));
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0) + 1));
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|error| wrong(&error.to_string()))?;
    std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| wrong("it is not text"))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_that_others_can_read_is_refused_and_never_repeated() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        fs::write(&path, "hush").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
        let said = read(&path).expect_err("refused");
        assert!(said.contains("0640") && said.contains("0600") && !said.contains("hush"), "{said}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("set");
        assert_eq!(*read(&path).expect("read"), "hush");
        assert!(read(directory.path()).is_err() && read(&directory.path().join("none")).is_err());
    }
}
