//! OpenSSH's own server on a port of its own, with a configuration that no right of root is needed for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kentai_executors::courier::sftp::{Options, Verify};

const SSHD: &str = "/usr/sbin/sshd";
/// How files are served.
pub(crate) const SFTP_SERVER: &str = "/usr/lib/openssh/sftp-server";

/// A server that lets the test's own account in with one key; it ends with the test.
pub(crate) struct Sshd {
    pub(crate) directory: tempfile::TempDir,
    server: Child,
    pub(crate) port: u16,
}

impl Sshd {
    /// Files are served as `sftp-server` does; `more` are lines of its configuration.
    pub(crate) fn start(more: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), SFTP_SERVER, more)
    }

    pub(crate) fn start_in(directory: tempfile::TempDir, subsystem: &str, more: &str) -> Self {
        assert!(Path::new(SSHD).exists(), "{SSHD} is not there; scripts/test installs openssh-server");
        if rustix::process::getuid().is_root() {
            // Where Debian's own service keeps an empty folder for it.
            fs::DirBuilder::new().recursive(true).mode(0o755).create("/run/sshd").expect("made");
        }
        for name in ["host", "other", "user"] {
            keygen(&directory.path().join(name));
        }
        fs::copy(directory.path().join("user.pub"), directory.path().join("authorized")).expect("copied");
        let at = |name: &str| directory.path().join(name).display().to_string();
        // Another process may take a free port before the server does; then another one is tried.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
            let config = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
                 UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
                 Subsystem sftp {subsystem}\n{more}\n",
                at("host"),
                at("authorized"),
            );
            fs::write(at("config"), config).expect("written");
            if let Some(server) = spawn(&at("config")) {
                let sshd = Self { directory, server, port };
                sshd.know("host");
                return sshd;
            }
        }
        panic!("no sshd could be started");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The known host is from now on the one with this key.
    pub(crate) fn know(&self, key: &str) {
        self.know_at(key, self.port);
    }

    pub(crate) fn know_at(&self, key: &str, port: u16) {
        let public = fs::read_to_string(self.path(&format!("{key}.pub"))).expect("a public key");
        fs::write(self.path("known_hosts"), format!("[127.0.0.1]:{port} {public}")).expect("written");
    }

    pub(crate) fn options(&self, directory: impl Into<String>) -> Options {
        let user = Command::new("id").arg("-un").output().expect("id").stdout;
        Options {
            target: "partner".into(),
            host: "127.0.0.1".into(),
            port: self.port,
            user: String::from_utf8(user).expect("a name").trim().to_owned(),
            key: Some(self.path("user")),
            password: None,
            known_hosts: self.path("known_hosts"),
            directory: directory.into(),
            verify: Verify::Read,
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

fn keygen(path: &Path) {
    let status = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(status.expect("ssh-keygen").success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
}

/// The server once it listens; none when it ended before.
fn spawn(config: &str) -> Option<Child> {
    let mut server = Command::new(SSHD).args(["-D", "-e", "-f", config]).stderr(Stdio::piped()).spawn().expect("sshd");
    let mut said = BufReader::new(server.stderr.take().expect("piped")).lines();
    while let Some(Ok(line)) = said.next() {
        if line.contains("Server listening") {
            // What it says later would fill the pipe.
            std::thread::spawn(move || said.by_ref().for_each(drop));
            return Some(server);
        }
        eprintln!("sshd: {line}");
    }
    drop(server.wait());
    None
}
