//! What the executor itself keeps of a job: out of the tool's reach, beside the attempts and not in them.
//!
//! `<attempts>/.slurm/<attempt>.json` says that a submission was begun; it is synced before `sbatch` is called, so that whoever comes after
//! a crash asks by name first. `<attempt>.keeper.json`, `.claim` and `.end` belong to the keeper of containers.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::witness::listing::digest;

/// The folder's name beneath the attempts.
const FOLDER: &str = ".slurm";
/// Numbers temporary files, so that two writers of one file never share one.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// How often one attempt is submitted before its executor gives it up; only the first that starts runs the tool.
pub(super) const SUBMISSIONS_MAX: u32 = 5;

/// What is kept of an attempt's submissions; fields are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Submission {
    /// Submissions begun.
    pub begun: u32,
}

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    folder: PathBuf,
}

impl Desk {
    /// Beside these attempts; made when it is needed.
    pub(super) fn new(attempts: &Path) -> Self {
        Self { folder: attempts.join(FOLDER) }
    }

    /// A file of an attempt.
    pub(super) fn file(&self, attempt: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{attempt}.{ending}"))
    }

    /// What is kept of an attempt.
    pub(super) fn read(&self, attempt: &str) -> io::Result<Submission> {
        match std::fs::read(self.file(attempt, "json")) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Submission::default()),
            Err(error) => Err(error),
        }
    }

    /// Says that all that the job wrote was seen here: what the collector takes away later is not waited for again. Not synced: where a
    /// machine stops between the two, the file system may forget this and keep that, and the step is tried again.
    pub(super) fn mark_whole(&self, attempt: &str) -> io::Result<()> {
        self.make()?;
        File::create(self.file(attempt, "whole")).map(drop)
    }

    /// Was all of it seen?
    pub(super) fn was_whole(&self, attempt: &str) -> bool {
        self.file(attempt, "whole").exists()
    }

    /// Keeps it, durably and whole.
    pub(super) fn write(&self, attempt: &str, submission: &Submission) -> io::Result<()> {
        self.put(&self.file(attempt, "json"), &serde_json::to_vec(submission)?)
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// Leaves a file, durably and whole.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.make()?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        File::open(&self.folder)?.sync_all()
    }

    /// The job script: one for all, because what differs are its arguments. Its name changes with what is in it, since jobs of an earlier
    /// engine may still be about to read theirs (Slurm keeps a copy, but not before it has accepted it).
    pub(super) fn script(&self, modules: &[String]) -> io::Result<PathBuf> {
        let mut text =
            String::from("#!/bin/sh\n# Made by kentai. Runs the words that it is given, and nothing else.\n");
        for module in modules {
            // Checked to be plain words when the site file was read.
            text.push_str("module load ");
            text.push_str(module);
            text.push_str(" || exit 1\n");
        }
        text.push_str("exec \"$@\"\n");
        let path = self.folder.join(format!("job-{}.sh", &crate::slurm::sha256(text.as_bytes())[..12]));
        if std::fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            self.put(&path, text.as_bytes())?;
        }
        Ok(path)
    }

    /// A copy of the program where every node sees it. It is large: hashed and copied in pieces.
    pub(super) fn program(&self, binary: &Path) -> io::Result<PathBuf> {
        let (digest, length) = digest(&File::open(binary)?)?;
        let path = self.folder.join(format!("kentai-{}", &digest[..12]));
        if std::fs::metadata(&path).is_ok_and(|found| found.len() == length) {
            return Ok(path);
        }
        self.make()?;
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o755).open(&temporary)?;
        io::copy(&mut File::open(binary)?, &mut file)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)?;
        Ok(path)
    }

    /// Removes what is kept of an attempt.
    pub(super) fn forget(&self, attempt: &str) -> io::Result<()> {
        for ending in ["json", "keeper.json", "claim", "end", "pipe", "whole"] {
            match std::fs::remove_file(self.file(attempt, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_kept_and_forgotten() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let desk = Desk::new(site.path());
        assert_eq!(desk.read("a").expect("read"), Submission::default());
        let kept = Submission { begun: 1 };
        desk.write("a", &kept).expect("kept");
        assert_eq!(desk.read("a").expect("read"), kept);
        desk.forget("a").expect("forgotten");
        assert_eq!(desk.read("a").expect("read"), Submission::default());
    }

    #[test]
    fn the_script_is_made_once_for_the_same_modules() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let desk = Desk::new(site.path());
        let plain = desk.script(&[]).expect("made");
        assert_eq!(desk.script(&[]).expect("made"), plain);
        let with = desk.script(&["apptainer/1.3".into()]).expect("made");
        assert_ne!(with, plain);
        assert!(std::fs::read_to_string(with).expect("read").contains("module load apptainer/1.3 || exit 1\n"));
    }
}
