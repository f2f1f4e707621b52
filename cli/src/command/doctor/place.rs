//! The site's directory: room, permissions, one file system, a socket that can be made.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use kentai_workflows::resources::format_size;

use super::{Line, fail, ok, warn};
use crate::site::Site;

/// Free space below which a genome does not fit any more.
const DISK_LOW: u64 = 50 << 30;
/// Free space below which nothing useful fits.
const DISK_NONE: u64 = 1 << 30;
/// Free inodes below which the store stops early.
const INODES_LOW: u64 = 100_000;
/// As for disk space.
const INODES_NONE: u64 = 5_000;
/// `sun_path` of unix(7), with its end.
const SOCKET_MAX: usize = 107;

pub(super) fn look(site: &Site) -> Vec<Line> {
    let mut lines = space(&site.directory);
    lines.push(mode(site));
    for part in ["artifacts", "attempts", "deliveries"] {
        lines.push(writable(site, part));
    }
    lines.push(one_file_system(site));
    let socket = site.socket();
    if socket.as_os_str().len() > SOCKET_MAX {
        let found = format!("its path is longer than {SOCKET_MAX} bytes");
        lines.push(fail("socket", found, "put the site at a shorter path"));
    }
    lines
}

fn space(directory: &Path) -> Vec<Line> {
    let found = match rustix::fs::statvfs(directory) {
        Ok(found) => found,
        Err(error) => return vec![fail("disk", error.to_string(), "look at the site's file system")],
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let text = format!("{} free", format_size(free >> 20 << 20));
    let room = "make room, or move the site: a 30x genome takes about 150 GiB while it runs";
    let disk = match free {
        free if free < DISK_NONE => fail("disk", text, room),
        free if free < DISK_LOW => warn("disk", text, room),
        _ => ok("disk", text),
    };
    // Some file systems make inodes as they go and say zero.
    let (all, free) = (found.f_files, found.f_favail);
    let text = format!("{free} of {all} free");
    let room = "remove small files, or choose another file system: each attempt takes about ten";
    let inodes = match free {
        _ if all == 0 => ok("inodes", "made as needed"),
        free if free < INODES_NONE => fail("inodes", text, room),
        free if free < INODES_LOW => warn("inodes", text, room),
        _ => ok("inodes", text),
    };
    vec![disk, inodes]
}

fn mode(site: &Site) -> Line {
    match std::fs::metadata(&site.directory) {
        Ok(facts) if facts.permissions().mode() & 0o002 != 0 => {
            warn("permissions", "everybody may write into the site", format!("chmod o-w {}", site.directory.display()))
        }
        Ok(facts) => {
            ok("permissions", format!("mode {:04o}, owner {}", facts.permissions().mode() & 0o7777, facts.uid()))
        }
        Err(error) => fail("permissions", error.to_string(), "use the account that owns the site"),
    }
}

/// Is there, or can be made, and takes a file.
fn writable(site: &Site, part: &str) -> Line {
    let directory = site.directory.join(part);
    let there = if directory.is_dir() { directory } else { site.directory.clone() };
    match tempfile::NamedTempFile::new_in(&there) {
        Ok(_) => ok(part, "writable"),
        Err(error) => fail(part, error.to_string(), format!("let the engine's user write into {}", there.display())),
    }
}

/// Outputs are taken in by a second name or a rename: that works within one file system.
fn one_file_system(site: &Site) -> Line {
    let device = |part: &str| std::fs::metadata(site.directory.join(part)).map(|facts| facts.dev()).ok();
    match (device("artifacts"), device("attempts")) {
        (Some(one), Some(other)) if one != other => {
            let remedy = "put artifacts/ and attempts/ on one: outputs are taken in by name, not copied";
            fail("file system", "artifacts/ and attempts/ lie on different ones", remedy)
        }
        _ => ok("file system", "one for artifacts/ and attempts/"),
    }
}
