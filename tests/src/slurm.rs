//! A real Slurm for tests of the whole house: scripts/slurm-up starts it, or `KENTAI_TEST_SLURM` names one that runs already.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{root, tool};

/// A cluster of four virtual nodes.
pub struct Cluster {
    folder: PathBuf,
    ours: Option<tempfile::TempDir>,
}

impl Cluster {
    /// The one that all tests share, or one of this test's own; none where tests with Slurm are switched off, which is said.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn shared() -> Result<Option<Self>> {
        match std::env::var_os("KENTAI_TEST_SLURM") {
            Some(given) if given != "0" => Ok(Some(Self { folder: given.into(), ours: None })),
            _ => Self::own(),
        }
    }

    /// One that a test may break.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn own() -> Result<Option<Self>> {
        Self::with(&[])
    }

    /// The same, with variables of scripts/slurm-up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn with(variables: &[(&str, &str)]) -> Result<Option<Self>> {
        if std::env::var("KENTAI_TEST_SLURM").is_ok_and(|value| value == "0") {
            eprintln!("skipped: KENTAI_TEST_SLURM=0 switches tests with Slurm off");
            return Ok(None);
        }
        // Sockets lie in it: short.
        let folder = tempfile::Builder::new().prefix("ks").tempdir_in("/tmp")?;
        let log = folder.path().join("up.log");
        let status = Command::new(root().join("scripts/slurm-up"))
            .arg(folder.path())
            .env("SLURM_PORT", free_ports(5)?.to_string())
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .status()?;
        ensure!(status.success(), "scripts/slurm-up: {}", std::fs::read_to_string(log)?);
        Ok(Some(Self { folder: folder.path().to_owned(), ours: Some(folder) }))
    }

    /// The lines of `kentai.yaml` for it: one executor, `hpc`, with this runtime.
    #[must_use]
    pub fn lines(&self, runtime: &str) -> String {
        format!(
            "places: {{ work: {{ path: ., visibility_wait: 1s }} }}\nexecutors:\n  - name: hpc\n    kind: slurm\n    shared: work\n    \
             partition: main\n    runtime: {runtime}\n    environment: {{ SLURM_CONF: {}, CONTAINERS_CONF: {} }}\n",
            self.folder.join("slurm.conf").display(),
            containers_conf().display()
        )
    }

    /// Does its memory limit hold? Without control groups it is only watched.
    #[must_use]
    pub fn limits_memory(&self) -> bool {
        self.folder.join("cgroup.conf").exists()
    }

    /// Sends a signal to a daemon: `slurmctld`, `slurmd.n1`.
    ///
    /// # Errors
    /// When there is none.
    pub fn signal(&self, daemon: &str, signal: &str) -> Result<()> {
        let pid = std::fs::read_to_string(self.folder.join("run").join(format!("{daemon}.pid")))?;
        tool("kill", &[signal, pid.trim()], Path::new("/")).map(drop)
    }

    /// Runs one of Slurm's programs and gives what it said.
    ///
    /// # Errors
    /// When it fails.
    pub fn call(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output =
            Command::new(program).args(arguments).env("SLURM_CONF", self.folder.join("slurm.conf")).output()?;
        ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.ours.is_some() {
            let mut down = Command::new(root().join("scripts/slurm-down"));
            let _ = down.arg(&self.folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// The image of Docker's store in podman's, by the same id.
///
/// # Errors
/// When it cannot be moved.
pub fn in_podman(image: &str) -> Result<()> {
    let id = tool("docker", &["image", "inspect", "--format", "{{.Id}}", image], Path::new("/"))?;
    let podman = |arguments: &[&str]| {
        let mut podman = Command::new("podman");
        podman.args(arguments).env("CONTAINERS_CONF", containers_conf()).stdout(Stdio::null()).stderr(Stdio::null());
        podman
    };
    if podman(&["image", "exists", id.trim()]).status()?.success() {
        return Ok(());
    }
    let mut save = Command::new("docker").args(["save", image]).stdout(Stdio::piped()).spawn()?;
    let loaded = podman(&["load"]).stdin(save.stdout.take().context("a pipe")?).status()?;
    ensure!(loaded.success() && save.wait()?.success(), "podman cannot load {image}");
    Ok(())
}

fn containers_conf() -> PathBuf {
    root().join("scripts/containers.conf")
}

fn free_ports(count: u16) -> Result<u16> {
    loop {
        let first = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if first < u16::MAX - count && (first..first + count).all(free) {
            return Ok(first);
        }
    }
}
