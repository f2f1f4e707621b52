//! Keeping a tool's log: moved beside the run's other papers, read-only.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;

use kentai_engine::exit_record::LOG_FILE;
use kentai_engine::port::collect::Order;
use kentai_engine::store::artifact::{remove_all, seal};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::attempt::open_directory;

/// Moves the log to its place; gives its bytes, zero when there is none. Repeatable.
pub(super) fn keep(order: &Order) -> io::Result<u64> {
    let directory = match open_directory(&order.directory) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(kept(order)),
        Err(error) => return Err(error.into()),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&directory, LOG_FILE, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        // None, or something that a tool put in its place.
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(kept(order)),
        Err(error) => return Err(error.into()),
    };
    let found = rustix::fs::fstat(&file)?;
    let bytes = u64::try_from(found.st_size).unwrap_or(0);
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile || bytes == 0 {
        return Ok(kept(order));
    }
    if let Some(parent) = order.log.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    seal(&file, &found)?;
    match rustix::fs::renameat(&directory, LOG_FILE, CWD, &order.log) {
        Ok(()) => Ok(bytes),
        // Logs may lie on another disk than attempts.
        Err(Errno::XDEV) => copy(file, order, &directory),
        Err(error) => Err(error.into()),
    }
}

/// What an earlier collection kept.
fn kept(order: &Order) -> u64 {
    order.log.symlink_metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |found| found.len())
}

fn copy(mut file: File, order: &Order, directory: impl std::os::fd::AsFd) -> io::Result<u64> {
    let temporary = order.log.with_extension("copying");
    remove_all(&temporary);
    let mut target = File::create_new(&temporary)?;
    let bytes = io::copy(&mut file, &mut target)?;
    target.sync_all()?;
    std::fs::rename(&temporary, &order.log)?;
    rustix::fs::unlinkat(directory, LOG_FILE, AtFlags::empty())?;
    Ok(bytes)
}
