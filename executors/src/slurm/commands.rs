//! Calling Slurm's programs: a trait, so that tests can lie in their place, and the real thing. It does not know what the words mean.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kentai_engine::port::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// No answer of a controller is longer; what is, is no answer.
const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `sbatch`, `squeue`, …
    pub program: &'static str,
    /// Its arguments; never read by a shell.
    pub args: Vec<OsString>,
    /// How long it may take. Slurm's own patience is 10 s in most of its programs, 20 s in some.
    pub patience: Duration,
}

/// What a program said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; none: it did not end in time, or by a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Something that answers calls.
pub trait Commands: Send + Sync + 'static {
    /// Answers one.
    ///
    /// # Errors
    /// When the program cannot be started at all.
    fn call(&self, call: Call) -> BoxFuture<'_, io::Result<Said>>;
}

/// The programs of this machine.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Where they lie; empty: along the engine's own PATH.
    pub directory: Option<PathBuf>,
    /// Their whole environment besides what they cannot do without.
    pub environment: BTreeMap<String, String>,
}

impl Programs {
    /// Where a program of this name lies along the path that it is given.
    fn along_path(&self, program: &str) -> Option<PathBuf> {
        let path = self.environment.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"))?;
        std::env::split_paths(&path).map(|at| at.join(program)).find(|at| at.is_absolute() && at.is_file())
    }

    fn command(&self, call: &Call) -> Command {
        // Sought here and not by the new process: whose PATH is set and whose program is a name is forked with all of the engine's memory.
        let program = match &self.directory {
            Some(at) => at.join(call.program),
            None => self.along_path(call.program).unwrap_or_else(|| PathBuf::from(call.program)),
        };
        let mut command = Command::new(program);
        // SBATCH_PARTITION and its like would change what we ask for; and what we read must not depend on who started us.
        command.env_clear();
        for name in ["PATH", "HOME", "USER", "LOGNAME", "SLURM_CONF"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC").env("SLURM_TIME_FORMAT", "standard").envs(&self.environment);
        command.args(&call.args).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Commands for Programs {
    fn call(&self, call: Call) -> BoxFuture<'_, io::Result<Said>> {
        Box::pin(async move {
            let mut child = self.command(&call).spawn()?;
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let all = async {
                let (out, err) = tokio::join!(text(out), text(err));
                (child.wait().await, out, err)
            };
            Ok(match tokio::time::timeout(call.patience, all).await {
                Ok((status, out, err)) => Said { code: status?.code(), out: out?, err: err? },
                Err(_) => {
                    let err = format!("{} did not end within {} s", call.program, call.patience.as_secs());
                    Said { code: None, out: String::new(), err }
                }
            })
        })
    }
}

async fn text(from: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(from) = from else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    if from.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await? as u64 == ANSWER_BYTES_MAX {
        return Err(io::Error::other("its answer has no end"));
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned()))
}
