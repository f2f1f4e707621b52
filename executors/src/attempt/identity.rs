//! Which process started an attempt: its number alone says nothing once numbers are reused or the machine restarts.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use rustix::process::Pid;

/// Index of the start time among [`stat_fields`] (field 22 of `proc(5)`).
const START_TIME: usize = 19;

/// A process, told apart from every other of this machine, past and future.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Number, as seen by the process itself.
    pub pid: Pid,
    start_ticks: u64,
    boot: String,
}

impl Identity {
    /// The calling process.
    pub(crate) fn own() -> io::Result<Self> {
        let start_ticks = start_ticks(Path::new("/proc/self/stat"));
        let start_ticks = start_ticks.ok_or_else(|| io::Error::other("cannot read /proc/self/stat"))?;
        Ok(Self { pid: rustix::process::getpid(), start_ticks, boot: boot_id().to_owned() })
    }

    /// Reads what `Display` wrote.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        let pid = Pid::from_raw(words.next()?.parse().ok().filter(|pid| *pid > 0)?)?;
        let start_ticks = words.next()?.parse().ok()?;
        Some(Self { pid, start_ticks, boot: words.next().unwrap_or_default().to_owned() })
    }

    /// Does this very process still run (as seen in our own process namespace)?
    pub(crate) fn runs(&self) -> bool {
        let path = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        !self.of_an_earlier_boot() && start_ticks(Path::new(&path)) == Some(self.start_ticks)
    }

    /// It ran before the machine was started anew. Unknown counts as no.
    pub(crate) fn of_an_earlier_boot(&self) -> bool {
        !self.boot.is_empty() && !boot_id().is_empty() && self.boot != boot_id()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} {} {}", self.pid.as_raw_nonzero(), self.start_ticks, self.boot)
    }
}

/// The fields of a `/proc/<pid>/stat` from the third (the state) on; the second, the name, may hold spaces.
pub(crate) fn stat_fields(path: &Path) -> Option<Vec<String>> {
    let text = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_ascii_whitespace().map(str::to_owned).collect())
}

fn start_ticks(path: &Path) -> Option<u64> {
    stat_fields(path)?.get(START_TIME)?.parse().ok()
}

fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_no_other_with_its_number() {
        let own = Identity::own().expect("alive");
        assert_eq!(Identity::parse(own.to_string().as_bytes()), Some(own.clone()));
        assert!(own.runs());
        let other = Identity { start_ticks: own.start_ticks + 1, ..own };
        assert!(!other.runs());
    }

    #[test]
    fn an_empty_or_broken_marker_names_nobody() {
        for text in ["", "x", "0 1 b", "-4 1 b", "12"] {
            assert_eq!(Identity::parse(text.as_bytes()), None, "{text}");
        }
    }
}
