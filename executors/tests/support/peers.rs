//! Programs of others that are not of the system: `scripts/peers.txt` names them, `scripts/test` installs them.

use std::path::{Path, PathBuf};

/// A program beside those of `scripts/peers.txt`; none where the tests go without them, which is said.
pub(crate) fn peer(program: &str) -> Option<PathBuf> {
    let given = std::env::var_os("KENTAI_TEST_PEERS");
    if given.as_ref().is_some_and(|value| value == "0") {
        eprintln!("skipped: KENTAI_TEST_PEERS=0");
        return None;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    let path = given.map_or(own, PathBuf::from).join("bin").join(program);
    assert!(
        path.exists(),
        "{} is not there (scripts/test installs it; KENTAI_TEST_PEERS=0 goes without)",
        path.display()
    );
    Some(path)
}
