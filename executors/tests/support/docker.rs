//! A real Docker daemon for these tests, and a small image that needs no registry.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use kentai_executors::docker::{DockerExecutor, Options};

use super::house::{House, WITNESS, fresh};

/// The image: busybox, and nothing else.
pub(crate) const IMAGE: &str = "kentai-test/tools:1";
/// Whom tools run as in these tests.
pub(crate) const UID: u32 = 12_345;

/// A site of containers; nothing when these tests are switched off.
pub(crate) fn house() -> Option<House> {
    if std::env::var("KENTAI_TEST_DOCKER").is_ok_and(|value| value == "0") {
        let _ = writeln!(std::io::stderr(), "skipped: KENTAI_TEST_DOCKER=0 switches tests with Docker off");
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        let _ = writeln!(std::io::stderr(), "skipped: tests with Docker give directories away and need root");
        return None;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let site = fresh("site");
    let executor = DockerExecutor::new(options(&site)).expect("an executor");
    Some(House { directory, executor: Arc::new(executor), image: Some(image().to_owned()), site })
}

pub(crate) fn options(site: &str) -> Options {
    Options {
        name: "docker".into(),
        site: site.into(),
        socket: "/var/run/docker.sock".into(),
        binary: WITNESS.into(),
        uid: UID,
        gid: UID,
        pids_limit: 64,
        tmpfs_bytes: 16 << 20,
        umask: 0o022,
    }
}

/// The image's id; it is made when it is missing.
pub(crate) fn image() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        if !docker_quietly(&["image", "inspect", IMAGE]) {
            make_image();
        }
        docker(&["image", "inspect", "--format", "{{.Id}}", IMAGE])
    })
}

/// Runs the command line client; gives what it said.
pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker client");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {said} (KENTAI_TEST_DOCKER=0 switches these tests off)");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Removes whatever a test left of its site.
pub(crate) fn remove_all(site: &str) {
    let filter = format!("label=kentai.site={site}");
    let left = Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &filter]).output();
    let left = left.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    for container in left.lines() {
        docker_quietly(&["rm", "--force", container]);
    }
}

fn docker_quietly(args: &[&str]) -> bool {
    Command::new("docker").args(args).output().is_ok_and(|output| output.status.success())
}

fn make_image() {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = busybox.expect("a static busybox (Debian: busybox-static) to make the test image of");
    let root = tempfile::tempdir().expect("a temporary directory");
    let bin = root.path().join("bin");
    for name in ["bin", "etc", "tmp", "proc", "sys", "dev", "run"] {
        std::fs::create_dir(root.path().join(name)).expect("made");
    }
    // Docker gives a tmpfs the mode of the directory that it covers.
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
    std::fs::set_permissions(root.path().join("tmp"), everyone).expect("changed");
    std::fs::copy(busybox, bin.join("busybox")).expect("copied");
    std::fs::write(root.path().join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").expect("write");
    let listed = Command::new(busybox).arg("--list").output().expect("busybox");
    for name in String::from_utf8_lossy(&listed.stdout).lines().filter(|name| *name != "busybox") {
        std::os::unix::fs::symlink("busybox", bin.join(name)).expect("link");
    }
    let mut tar = Command::new("tar")
        .args(["-c", "--owner=0", "--group=0", "."])
        .current_dir(&root)
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar");
    let archive = tar.stdout.take().expect("a pipe");
    let imported = Command::new("docker").args(["import", "-", IMAGE]).stdin(archive).stdout(Stdio::null()).status();
    assert!(imported.expect("the docker client").success() && tar.wait().expect("tar").success());
}
