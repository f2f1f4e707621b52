//! Ending everything below the witness. As a subreaper it inherits every orphan, so "no child left" means "nothing
//! left"; what hides in another session or process group is found through `/proc`.

use std::collections::BTreeMap;
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group};

use crate::attempt::stat_fields;

/// Kills the tool's group and every other descendant, once.
pub(super) fn kill_once(tool: Pid) {
    let _ = kill_process_group(tool, Signal::KILL);
    for pid in descendants() {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills and reaps until nothing is left. A process in an uninterruptible call is waited for: it still writes.
pub(super) fn end_all(tool: Pid) -> io::Result<()> {
    loop {
        kill_once(tool);
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn descendants() -> Vec<Pid> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    for entry in entries.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        let Some((pid, fields)) = pid.and_then(|pid| Some((pid, stat_fields(&entry.path().join("stat"))?))) else {
            continue;
        };
        // The fields begin with the third, the state; the parent is the fourth.
        if let Some(parent) = fields.get(1).and_then(|text| text.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![getpid().as_raw_nonzero().get()];
    while let Some(parent) = open.pop() {
        let below = children.remove(&parent).unwrap_or_default();
        found.extend(below.iter().filter_map(|pid| Pid::from_raw(*pid)));
        open.extend(below);
    }
    found
}
