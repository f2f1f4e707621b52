//! Starting the tool: the program is looked up here, so that "no such program" and "not executable" are told apart,
//! and so that the start stays on the fast path of the standard library (which leaves it when PATH is set).

use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;

use super::task::Instructions;
use crate::attempt::{WORK, now_us};

const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A tool that runs.
pub(super) struct Tool {
    /// Its process, which leads its process group.
    pub pid: Pid,
    /// The end of the pipe that its output comes from.
    pub output: PipeReader,
    /// Microseconds since the epoch.
    pub started_us: i64,
}

/// Why there is no tool.
pub(super) struct Refused {
    /// 127: not found; 126: found and not executable.
    pub exit_code: i32,
    /// In words.
    pub reason: String,
}

/// Starts the tool in `work/`, leading its own process group.
pub(super) fn launch(directory: &OwnedFd, instructions: &Instructions) -> Result<Tool, Refused> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let work = rustix::fs::openat(directory, WORK, flags, Mode::empty());
    work.and_then(rustix::process::fchdir).map_err(|error| refused(126, "cannot enter work/", &error.into()))?;
    let Some((name, arguments)) = instructions.argv.split_first() else {
        return Err(refused(127, "the command is empty", &Errno::NOENT.into()));
    };
    let path = match instructions.env.get("PATH") {
        Some(path) => path.clone(),
        // In a container this is the image's own PATH, which knows where its tools lie.
        None => std::env::var("PATH").unwrap_or_else(|_| PATH_DEFAULT.to_owned()),
    };
    let program = look_up(name, &path).map_err(|error| {
        let exit_code = if error == Errno::ACCESS { 126 } else { 127 };
        refused(exit_code, &format!("cannot execute `{name}`"), &error.into())
    })?;
    let mut command = Command::new(program);
    command.arg0(name).args(arguments).env_clear().env("PATH", path).envs(&instructions.env);
    spawn(command).map_err(|error| {
        let exit_code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        refused(exit_code, &format!("cannot execute `{name}`"), &error)
    })
}

fn spawn(mut command: Command) -> io::Result<Tool> {
    let (output, input) = io::pipe()?;
    rustix::io::ioctl_fionbio(&output, true)?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input).process_group(0);
    let started_us = now_us();
    // Spawn fails here when the program exists but cannot be executed; the tool then never ran.
    let child = command.spawn()?;
    // Nobody waits for it by this handle: the watch reaps every child, this one too.
    let pid = Pid::from_child(&child);
    Ok(Tool { pid, output, started_us })
}

fn refused(exit_code: i32, what: &str, error: &io::Error) -> Refused {
    Refused { exit_code, reason: format!("{what}: {error}") }
}

/// `execvp`'s rule: a name with a slash is a path; else the first executable file along PATH.
fn look_up(name: &str, path: &str) -> rustix::io::Result<PathBuf> {
    if name.contains('/') {
        executable(Path::new(name)).map(|()| PathBuf::from(name))
    } else {
        let mut worst = Errno::NOENT;
        for directory in path.split(':').filter(|_| !name.is_empty()) {
            let candidate = Path::new(if directory.is_empty() { "." } else { directory }).join(name);
            match executable(&candidate) {
                Ok(()) => return Ok(candidate),
                Err(Errno::ACCESS) => worst = Errno::ACCESS,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}

fn executable(path: &Path) -> rustix::io::Result<()> {
    let found = rustix::fs::stat(path)?;
    if !rustix::fs::FileType::from_raw_mode(found.st_mode).is_file() {
        return Err(Errno::ACCESS);
    }
    rustix::fs::access(path.as_os_str().as_bytes(), Access::EXEC_OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_along_the_path_and_a_directory_is_not_one() {
        assert!(look_up("sh", "/nowhere:/bin").is_ok());
        assert_eq!(look_up("no-such-program", "/bin").err(), Some(Errno::NOENT));
        assert_eq!(look_up("/etc", "").err(), Some(Errno::ACCESS));
        assert_eq!(look_up("/etc/passwd", "").err(), Some(Errno::ACCESS));
        assert_eq!(look_up("", "/bin").err(), Some(Errno::NOENT));
    }
}
