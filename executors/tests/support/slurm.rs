//! A real Slurm for these tests: scripts/slurm-up starts one of virtual nodes on loopback.
//!
//! `KENTAI_TEST_SLURM` names the folder of one that runs already (scripts/test starts it); a test that breaks its cluster starts its own.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kentai_executors::slurm::{Options, Pace, Programs, Runtime, SlurmExecutor};

use super::docker;
use super::house::{House, WITNESS, fresh};

/// A cluster.
pub(crate) struct Cluster {
    folder: PathBuf,
    ours: Option<tempfile::TempDir>,
}

impl Cluster {
    /// The one that all share, or one of this test's own; none where these tests are switched off or cannot be.
    pub(crate) fn shared() -> Option<Self> {
        match std::env::var_os("KENTAI_TEST_SLURM") {
            Some(given) if given == "0" => {
                eprintln!("skipped: KENTAI_TEST_SLURM=0 switches tests with Slurm off");
                None
            }
            Some(given) => Some(Self { folder: given.into(), ours: None }),
            None => Self::own(),
        }
    }

    /// One that a test may break.
    pub(crate) fn own() -> Option<Self> {
        Self::with(&[])
    }

    /// The same, with variables of scripts/slurm-up.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Option<Self> {
        if std::env::var("KENTAI_TEST_SLURM").is_ok_and(|value| value == "0") {
            eprintln!("skipped: KENTAI_TEST_SLURM=0 switches tests with Slurm off");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("ks").tempdir_in("/tmp").expect("a temporary directory");
        let mut up = Command::new(script("slurm-up"));
        up.arg(folder.path()).args(["4", "32", "16000"]).env("SLURM_PORT", free_ports(7).to_string());
        up.envs(variables.iter().copied()).stdout(Stdio::null());
        // Its daemons would keep the test's pipes open.
        let log = std::fs::File::create(folder.path().join("up.log")).expect("a log");
        assert!(
            up.stderr(log).status().expect("bash").success(),
            "{:?}",
            std::fs::read_to_string(folder.path().join("up.log"))
        );
        Some(Self { folder: folder.path().to_owned(), ours: Some(folder) })
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    /// Runs one of Slurm's programs; gives what it said.
    pub(crate) fn call(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program).args(args).env("SLURM_CONF", self.conf()).output().expect("Slurm's client");
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The process of a daemon: `slurmctld`, `slurmd.n1`.
    pub(crate) fn pid(&self, daemon: &str) -> String {
        let text = std::fs::read_to_string(self.folder.join("run").join(format!("{daemon}.pid"))).expect("a pid file");
        text.trim().to_owned()
    }

    /// Sends a signal to a daemon.
    pub(crate) fn signal(&self, daemon: &str, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.pid(daemon)]).status().expect("kill");
        assert!(sent.success(), "{signal} to {daemon}");
    }

    /// Starts the controller again.
    pub(crate) fn start_controller(&self) {
        let conf = self.conf();
        let mut start = Command::new("/usr/sbin/slurmctld");
        assert!(
            start
                .arg("-f")
                .arg(conf)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("slurmctld")
                .success()
        );
    }

    /// Starts the accounting again.
    pub(crate) fn start_accounting(&self) {
        let mut start = Command::new("/usr/sbin/slurmdbd");
        start.env("SLURM_CONF", self.conf()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(start.status().expect("slurmdbd").success());
    }

    /// Starts a node's daemon again.
    pub(crate) fn start_node(&self, node: &str) {
        let conf = self.conf();
        let mut start = Command::new("/usr/sbin/slurmd");
        start.arg("-f").arg(conf).args(["-N", node]).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(start.status().expect("slurmd").success());
    }

    /// The number of an attempt's job, once Slurm has it.
    pub(crate) async fn job(&self, house: &House, attempt: &str) -> String {
        let name = format!("kentai-{}-{attempt}", house.site);
        loop {
            let known = self.call("squeue", &["-h", "-t", "all", "-n", &name, "-o", "%i"]);
            if let Some(id) = known.lines().next() {
                return id.to_owned();
            }
            tokio::task::yield_now().await;
        }
    }

    /// How many jobs of this name there were.
    pub(crate) fn jobs(&self, house: &House, attempt: &str) -> usize {
        let name = format!("kentai-{}-{attempt}", house.site);
        self.call("squeue", &["-h", "-t", "all", "-n", &name, "-o", "%i"]).lines().count()
    }

    /// Does its memory limit hold? Without control groups it is only watched.
    pub(crate) fn limits_memory(&self) -> bool {
        self.folder.join("cgroup.conf").exists()
    }

    /// A site whose tools are the nodes' own programs.
    pub(crate) fn house(&self) -> House {
        self.house_with(|_| {})
    }

    /// The same, with other options.
    pub(crate) fn house_with(&self, change: impl FnOnce(&mut Options)) -> House {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let site = fresh("site");
        let mut options = options(&site, directory.path());
        change(&mut options);
        let image = (options.runtime != Runtime::None).then(|| podman_image().to_owned());
        let executor = SlurmExecutor::new(options, Arc::new(self.programs())).expect("an executor");
        House { directory, executor: Arc::new(executor), image, site }
    }

    /// A site of podman's containers; none where podman cannot be had.
    pub(crate) fn podman_house(&self) -> Option<House> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: tests with podman give directories away and need root");
            return None;
        }
        Some(self.house_with(|options| options.runtime = Runtime::Podman))
    }

    /// Slurm's programs with this cluster's configuration, and podman's with one that works without CAP_SYS_RESOURCE.
    pub(crate) fn programs(&self) -> Programs {
        let environment = BTreeMap::from([
            ("SLURM_CONF".to_owned(), self.conf().to_string_lossy().into_owned()),
            ("CONTAINERS_CONF".to_owned(), containers_conf().to_string_lossy().into_owned()),
            ("PATH".to_owned(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ]);
        Programs { directory: None, environment }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.ours.is_some() {
            let _ = Command::new(script("slurm-down"))
                .arg(&self.folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

pub(crate) fn options(site: &str, directory: &Path) -> Options {
    Options {
        name: "hpc".into(),
        site: site.into(),
        attempts: directory.join("attempts"),
        binary: WITNESS.into(),
        partition: Some("main".into()),
        account: None,
        qos: None,
        constraint: None,
        arguments: Vec::new(),
        modules: Vec::new(),
        runtime: Runtime::None,
        images: None,
        user: (docker::UID, docker::UID),
        pids_limit: 64,
        tmpfs_bytes: 16 << 20,
        umask: 0o022,
        visibility: Duration::from_secs(1),
        accounting: false,
        pace: Pace::default(),
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(name)
}

/// The first of so many ports in a row that are free now.
fn free_ports(count: u16) -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if first < u16::MAX - count && (first..first + count).all(free) {
            return first;
        }
    }
}

/// The test image in podman's storage, by its id.
fn podman_image() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let id = docker::image();
        let known = podman(&["image", "exists", id]);
        if !known.success() {
            let mut save =
                Command::new("docker").args(["save", docker::IMAGE]).stdout(Stdio::piped()).spawn().expect("docker");
            let archive = save.stdout.take().expect("a pipe");
            let loaded = Command::new("podman")
                .env("CONTAINERS_CONF", containers_conf())
                .arg("load")
                .stdin(archive)
                .stdout(Stdio::null())
                .status();
            assert!(loaded.expect("podman").success() && save.wait().expect("docker").success());
        }
        id.to_owned()
    })
}

fn podman(args: &[&str]) -> std::process::ExitStatus {
    let mut podman = Command::new("podman");
    podman.env("CONTAINERS_CONF", containers_conf()).args(args).stdout(Stdio::null()).stderr(Stdio::null());
    podman.status().expect("podman (Debian: podman)")
}

/// What podman holds under a name.
pub(crate) fn podman_has(name: &str) -> bool {
    podman(&["container", "exists", name]).success()
}

fn containers_conf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/containers.conf")
}
