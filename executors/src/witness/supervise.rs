//! The watch: one loop over two descriptors (signals and output) and one deadline. No thread, no polling.
//!
//! It ends when the tool has ended and everything the tool left behind is killed and reaped.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use super::descendants;
use super::keeper::Keeper;
use super::launch::Tool;
use super::pump::Pump;
use super::signals::Signals;
use super::task::Instructions;
use crate::attempt::now_us;

/// How the tool ended.
pub(super) struct Ended {
    pub status: WaitStatus,
    pub timed_out: bool,
    pub stopped: bool,
    pub started_us: i64,
    pub ended_us: i64,
    pub log_dropped_bytes: u64,
}

/// Why and until when the tool is being ended.
enum Ending {
    No,
    Asked(Option<Instant>),
    Killed,
}

struct Watch {
    tool: Pid,
    grace: Duration,
    timeout: Option<Instant>,
    ending: Ending,
    timed_out: bool,
    stopped: bool,
    /// The tool's own end, once it was reaped.
    status: Option<WaitStatus>,
    /// No process is left below us.
    alone: bool,
}

/// Watches a started tool to its end.
pub(super) fn supervise(
    directory: &OwnedFd,
    instructions: &Instructions,
    mut tool: Tool,
    signals: &Signals,
) -> io::Result<Ended> {
    let mut pump = Pump::new(directory, instructions.log_bytes_max);
    let mut watch = Watch::new(tool.pid, instructions);
    let mut keeper = instructions.keeper.as_deref().map(Keeper::open).transpose()?;
    let mut talking = true;
    while watch.status.is_none() {
        let kept = keeper.as_ref().filter(|keeper| keeper.lives());
        if keeper.is_some() && kept.is_none() {
            keeper = None;
            watch.kill();
            continue;
        }
        let (signaled, spoken) = wait(signals, talking.then_some(&tool.output), kept, watch.deadline())?;
        if spoken {
            talking = pump.drain(&mut tool.output);
        }
        if signaled {
            watch.take_signals(signals)?;
        }
        watch.meet_deadlines();
    }
    let ended_us = now_us();
    if !watch.alone {
        // What the tool left running must not outlive it: its files are about to be collected.
        descendants::end_all(tool.pid)?;
    }
    if talking {
        pump.drain(&mut tool.output);
    }
    Ok(Ended {
        status: watch.status.expect("the loop ends with a status"),
        timed_out: watch.timed_out,
        stopped: watch.stopped,
        started_us: tool.started_us,
        ended_us,
        log_dropped_bytes: pump.dropped(),
    })
}

impl Watch {
    fn new(tool: Pid, instructions: &Instructions) -> Self {
        let seconds = Some(instructions.timeout_s).filter(|seconds| *seconds > 0);
        Self {
            tool,
            grace: Duration::from_secs(instructions.grace_s),
            // A limit beyond the clock's range is no limit.
            timeout: seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds))),
            ending: Ending::No,
            timed_out: false,
            stopped: false,
            status: None,
            alone: false,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.ending {
            Ending::No => self.timeout,
            Ending::Asked(until) => until,
            Ending::Killed => None,
        }
    }

    fn meet_deadlines(&mut self) {
        if self.status.is_some() || self.deadline().is_none_or(|deadline| Instant::now() < deadline) {
            return;
        }
        if matches!(self.ending, Ending::No) {
            self.timed_out = true;
            self.ask();
        } else {
            self.ending = Ending::Killed;
            // Those that left the group die as well, else they would keep a tool alive that waits for them.
            descendants::kill_once(self.tool);
        }
    }

    /// Nobody waits for the tool any more.
    fn kill(&mut self) {
        self.stopped |= matches!(self.ending, Ending::No);
        self.ending = Ending::Killed;
        descendants::kill_once(self.tool);
    }

    fn ask(&mut self) {
        if !matches!(self.ending, Ending::No) {
            return;
        }
        let _ = rustix::process::kill_process_group(self.tool, Signal::TERM);
        // A stopped group would never see it.
        let _ = rustix::process::kill_process_group(self.tool, Signal::CONT);
        self.ending = Ending::Asked(Instant::now().checked_add(self.grace));
    }

    fn take_signals(&mut self, signals: &Signals) -> io::Result<()> {
        if signals.take() {
            self.stopped |= matches!(self.ending, Ending::No);
            self.ask();
        }
        self.reap()
    }

    fn reap(&mut self) -> io::Result<()> {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.tool => self.status = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Ok(()),
                Err(Errno::CHILD) => {
                    self.alone = true;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Waits for a signal, for output, for the keeper's end, or for the deadline: (signal, output).
fn wait(
    signals: &Signals,
    output: Option<&io::PipeReader>,
    keeper: Option<&Keeper>,
    deadline: Option<Instant>,
) -> io::Result<(bool, bool)> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let left = left.map(|left| Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    let mut watched = Vec::with_capacity(3);
    watched.push(PollFd::new(signals, PollFlags::IN));
    if let Some(output) = output {
        watched.push(PollFd::new(output, PollFlags::IN));
    }
    let ours = watched.len();
    if let Some(keeper) = keeper {
        watched.push(PollFd::new(keeper, PollFlags::IN));
    }
    match rustix::event::poll(&mut watched, left.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let ready = |at: usize| watched[..ours].get(at).is_some_and(|fd| !fd.revents().is_empty());
    Ok((ready(0), ready(1)))
}
