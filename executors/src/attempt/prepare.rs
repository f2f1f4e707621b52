//! Making an attempt directory, again and again with the same result, and asking in it for an end.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kentai_engine::exit_record::{START_MARKER, TASK_FILE};
use kentai_engine::port::executor::{Mount, Task};
use kentai_engine::store::artifact::remove_all;
use rustix::fs::{FlockOperation, Gid, Uid};
use rustix::io::Errno;

use super::{INPUTS, SECRETS, STOP_FILE, WORK, open_directory, read_small};
use crate::witness::task::Instructions;

/// Numbers temporary files, so that two preparations of one attempt never share one.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// How inputs get into the directory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inputs {
    /// As symbolic links: the tool sees the host's files.
    Links,
    /// As empty files and directories that something will be mounted on; the directory belongs to the tool's user.
    MountPoints(Option<(Uid, Gid)>),
}

/// What the directory was found to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Prepared {
    /// Ready for a witness.
    Ready,
    /// Another task lies under this attempt id.
    Other,
}

/// Makes the directory, unless it is there already; with `work/`, inputs and the task file, in this order, so that
/// a task file means that everything else is there.
pub(crate) fn prepare(
    directory: &Path,
    instructions: &Instructions,
    mounts: &[Mount],
    inputs: Inputs,
) -> io::Result<Prepared> {
    make(directory, 0o700)?;
    let handle = open_directory(directory)?;
    if holds_other(directory, &instructions.digest, &instructions.nonce)? {
        return Ok(Prepared::Other);
    }
    let work = directory.join(WORK);
    if !make(&work, 0o700)? {
        clear_unstarted(directory, &work)?;
    }
    make(&directory.join(INPUTS), 0o755)?;
    for mount in mounts {
        place_input(directory, mount, inputs)?;
    }
    if let Inputs::MountPoints(Some((uid, gid))) = inputs {
        rustix::fs::chown(&work, Some(uid), Some(gid))?;
        rustix::fs::fchown(&handle, Some(uid), Some(gid))?;
    }
    write_whole(directory, TASK_FILE, &serde_json::to_vec(instructions)?)?;
    Ok(Prepared::Ready)
}

/// Does another task lie in this directory? No task at all is no other.
pub(crate) fn holds_other(directory: &Path, digest: &str, nonce: &str) -> io::Result<bool> {
    let handle = match open_directory(directory) {
        Ok(handle) => handle,
        Err(Errno::NOENT) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let there = read_small(&handle, TASK_FILE)?.and_then(|text| serde_json::from_slice::<Instructions>(&text).ok());
    Ok(there.is_some_and(|there| there.digest != digest || there.nonce != nonce))
}

/// Leaves the request that a witness which has not started its tool yet will find.
pub(crate) fn request_stop(directory: &Path) -> io::Result<()> {
    make(directory, 0o700)?;
    match OpenOptions::new().write(true).create_new(true).open(directory.join(STOP_FILE)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Was it left?
pub(crate) fn stop_requested(directory: &Path) -> bool {
    directory.join(STOP_FILE).symlink_metadata().is_ok()
}

/// A working directory without a start marker holds what a power cut left of another start: the tool must not see it.
fn clear_unstarted(directory: &Path, work: &Path) -> io::Result<()> {
    let mut entries = work.read_dir()?.peekable();
    if entries.peek().is_none() {
        return Ok(());
    }
    let handle = open_directory(directory)?;
    // Whoever may start the tool holds this lock before the marker is made.
    let free = rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive).is_ok();
    if free && read_small(&handle, START_MARKER)?.is_none() {
        entries.flatten().for_each(|entry| remove_all(&entry.path()));
    }
    Ok(())
}

fn place_input(directory: &Path, mount: &Mount, inputs: Inputs) -> io::Result<()> {
    let place = directory.join(INPUTS).join(safe(&mount.target)?);
    if let Some(parent) = place.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    let done = match inputs {
        Inputs::Links => symlink(&mount.source, &place),
        Inputs::MountPoints(_) if mount.source.is_dir() => DirBuilder::new().mode(0o755).create(&place),
        Inputs::MountPoints(_) => OpenOptions::new().write(true).create_new(true).mode(0o644).open(&place).map(drop),
    };
    match done {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// There is no `/run/secrets` of its own for a plain process; they lie beneath the attempt's `secrets/`.
pub(crate) fn link_secrets(task: &Task) -> io::Result<()> {
    let directory = task.directory.join(SECRETS);
    for (name, source) in &task.secrets {
        std::fs::create_dir_all(&directory)?;
        match symlink(source, directory.join(safe(Path::new(name))?)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A path of plain names only.
pub(crate) fn safe(path: &Path) -> io::Result<PathBuf> {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && path.components().next().is_some() {
        return Ok(path.to_owned());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is not a plain relative path", path.display())))
}

/// Makes one directory (and its parents); false when it was there.
fn make(path: &Path, mode: u32) -> io::Result<bool> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(mode).create(path).map(|()| true)
        }
        Err(error) => Err(error),
    }
}

fn write_whole(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("{name}.{}-{number}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
    file.write_all(bytes)?;
    std::fs::rename(temporary, directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(digest: &str) -> Instructions {
        Instructions {
            attempt: "a".into(),
            nonce: "n".into(),
            digest: digest.into(),
            argv: vec!["true".into()],
            env: std::collections::BTreeMap::new(),
            timeout_s: 0,
            grace_s: 1,
            log_bytes_max: 1,
            own_cgroup: false,
            umask: None,
            shared: false,
            keeper: None,
        }
    }

    #[test]
    fn preparing_twice_is_preparing_once_and_another_task_is_noticed() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let directory = site.path().join("attempts/a");
        let mounts = [Mount { source: "/etc/hostname".into(), target: "x/name".into() }];
        for _ in 0..2 {
            let prepared = prepare(&directory, &instructions("d"), &mounts, Inputs::Links);
            assert_eq!(prepared.expect("made"), Prepared::Ready);
        }
        assert!(directory.join("in/x/name").exists());
        let other = prepare(&directory, &instructions("e"), &mounts, Inputs::Links);
        assert_eq!(other.expect("read"), Prepared::Other);
    }

    #[test]
    fn leftovers_of_a_lost_start_are_cleared_but_never_those_of_a_marked_one() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let directory = site.path().join("a");
        prepare(&directory, &instructions("d"), &[], Inputs::Links).expect("made");
        std::fs::write(directory.join("work/half"), "x").expect("write");
        prepare(&directory, &instructions("d"), &[], Inputs::Links).expect("made");
        assert!(!directory.join("work/half").exists());
        std::fs::write(directory.join("work/half"), "x").expect("write");
        // Whoever holds the lock may start the tool in this moment.
        let held = open_directory(&directory).expect("there");
        rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).expect("free");
        prepare(&directory, &instructions("d"), &[], Inputs::Links).expect("made");
        assert!(directory.join("work/half").exists());
        drop(held);
        std::fs::write(directory.join(START_MARKER), "1 1 x").expect("write");
        prepare(&directory, &instructions("d"), &[], Inputs::Links).expect("made");
        assert!(directory.join("work/half").exists());
    }

    #[test]
    fn an_input_outside_its_directory_is_refused() {
        for target in ["../x", "/x", "a/../../x", ""] {
            assert!(safe(Path::new(target)).is_err(), "{target}");
        }
        assert!(safe(Path::new("r1/L001_R1.fastq.gz")).is_ok());
    }
}
