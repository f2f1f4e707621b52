//! One look at a run folder, as whoever reads disks hands it over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Micros;
use crate::intake::words::{Words, shown};

/// A file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSeen {
    /// Relative to the run folder, parts separated by `/`.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Last modification, microseconds since the epoch.
    pub mtime_us: i64,
}

/// Why a look could not see everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// Something cannot be read.
    Unreadable {
        /// Relative to the run folder; empty for itself.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// More files and directories than a run folder may hold.
    TooMany {
        /// The limit.
        most: u64,
    },
    /// A document is larger than such a document ever is.
    TooLarge {
        /// Relative to the run folder.
        path: String,
        /// The limit in bytes.
        most: u64,
    },
    /// Deeper than a run folder may be.
    TooDeep {
        /// The directory that was not entered.
        path: String,
        /// The limit.
        most: u64,
    },
}

impl Trouble {
    /// As a sentence.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Unreadable { path, reason } => {
                let (path, reason) = (place(path), shown(reason));
                Words::new(format!("{path} cannot be read: {reason}"), format!("{path} を読めません: {reason}"))
            }
            Self::TooMany { most } => Words::new(
                format!("holds more than {most} files and directories"),
                format!("ファイルとディレクトリの数が上限 {most} を超えています"),
            ),
            Self::TooLarge { path, most } => {
                let path = place(path);
                Words::new(
                    format!("{path} is larger than {most} bytes"),
                    format!("{path} が上限 {most} バイトを超えています"),
                )
            }
            Self::TooDeep { path, most } => {
                let path = place(path);
                Words::new(
                    format!("{path} lies deeper than {most} directories"),
                    format!("{path} の階層が上限 {most} を超えています"),
                )
            }
        }
    }
}

fn place(path: &str) -> String {
    if path.is_empty() { "the run folder".to_owned() } else { format!("`{}`", shown(path)) }
}

/// One look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The folder's name beneath its place.
    pub name: String,
    /// When the look began.
    pub began: Micros,
    /// When it ended: whatever changed in between may or may not have been seen.
    pub ended: Micros,
    files: Vec<FileSeen>,
    /// Contents of small files that decide (run information, sheet, status, counts) by path.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// The look is not whole.
    pub trouble: Option<Trouble>,
    /// Symbolic links and special files, which were passed over.
    pub passed_over: u64,
}

impl Observation {
    /// A look at a folder from `began` to `ended`, without files.
    #[must_use]
    pub fn new(name: impl Into<String>, began: Micros, ended: Micros) -> Self {
        Self { name: name.into(), began, ended, ..Self::default() }
    }

    /// The same look with these files, in any order.
    #[must_use]
    pub fn with_files(mut self, mut files: Vec<FileSeen>) -> Self {
        files.sort();
        self.files = files;
        self
    }

    /// By path.
    #[must_use]
    pub fn files(&self) -> &[FileSeen] {
        &self.files
    }

    /// Is there a file at this path?
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok()
    }
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Files.
    pub files: u64,
    /// All sizes.
    pub bytes: u64,
    /// Path of what was modified last; empty when there is nothing.
    #[serde(default)]
    pub newest: String,
}

impl Extent {
    pub(super) fn of<'a>(files: impl Iterator<Item = &'a FileSeen>) -> Self {
        let mut extent = Self::default();
        let mut latest = i64::MIN;
        for file in files {
            extent.files += 1;
            extent.bytes = extent.bytes.saturating_add(file.size);
            if file.mtime_us > latest || extent.files == 1 {
                latest = file.mtime_us;
                extent.newest.clone_from(&file.path);
            }
        }
        extent
    }
}

/// SHA-256 over the files, which come sorted by path. Lengths keep `a` + `bc` apart from `ab` + `c`.
pub(super) fn fingerprint<'a>(files: impl Iterator<Item = &'a FileSeen>) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update((file.path.len() as u64).to_le_bytes());
        hash.update(file.path.as_bytes());
        hash.update(file.size.to_le_bytes());
        hash.update(file.mtime_us.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Is this the name of something that file systems, desktops and backups leave everywhere, and that is no part of a run?
#[must_use]
pub fn is_foreign(name: &str) -> bool {
    let named = [
        "lost+found",
        "@eaDir",
        "#recycle",
        "#snapshot",
        "$RECYCLE.BIN",
        "System Volume Information",
        "Thumbs.db",
        "desktop.ini",
    ];
    (name.starts_with('.') && !is_partial(name)) || named.contains(&name)
}

/// Is this the name that a copying program gives to a file that is not whole yet?
#[must_use]
pub fn is_partial(name: &str) -> bool {
    if [".~tmp~", ".rsync-partial", ".rsync-tmp"].contains(&name) {
        return true;
    }
    // rsync: `.name.` and six letters or digits, or its directory for interrupted files.
    let rsync = name.strip_prefix('.').and_then(|rest| rest.rsplit_once('.')).is_some_and(|(before, end)| {
        !before.is_empty()
            && end.len() == 6
            && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !name.starts_with(".nfs")
            && !name.starts_with("._")
    });
    rsync
        || [".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".copying"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64, mtime_us: i64) -> FileSeen {
        FileSeen { path: path.to_owned(), size, mtime_us }
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_the_listing_and_on_nothing_else() {
        let of = |files: Vec<FileSeen>| fingerprint(Observation::new("r", 0, 0).with_files(files).files().iter());
        let first = of(vec![file("a", 1, 2), file("b", 3, 4)]);
        assert_eq!(first, of(vec![file("b", 3, 4), file("a", 1, 2)]));
        for other in [
            vec![file("a", 1, 2)],
            vec![file("a", 2, 2), file("b", 3, 4)],
            vec![file("a", 1, 3), file("b", 3, 4)],
            vec![file("a", 1, 2), file("c", 3, 4)],
        ] {
            assert_ne!(first, of(other));
        }
    }

    #[test]
    fn files_of_a_running_copy_are_told_from_files_of_the_desktop() {
        for name in
            [".S_S1_L001_R1_001.fastq.gz.aB3x9Z", "a.cbcl.part", "x.filepart", "b.tmp", ".~tmp~", ".rsync-partial"]
        {
            assert!(is_partial(name) && !is_foreign(name), "{name}");
        }
        for name in
            [".DS_Store", ".nfs0000001.abcdef", "._RunInfo.xml", "._a.config", "lost+found", "Thumbs.db", ".snapshot"]
        {
            assert!(!is_partial(name) && is_foreign(name), "{name}");
        }
        for name in ["RunInfo.xml", "L001_1.cbcl"] {
            assert!(!is_partial(name) && !is_foreign(name), "{name}");
        }
    }
}
