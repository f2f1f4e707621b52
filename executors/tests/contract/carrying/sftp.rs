//! A directory behind OpenSSH's own server as a target, and an archive's inbox: chrooted, served by `internal-sftp`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use kentai_engine::port::courier::{Courier, Error};
use kentai_executors::courier::sftp::{Options, SftpCourier, Verify};

use super::{Target, assert_whole, promises};
use crate::support::package::{FOLDER, Files, files, large, read_folder, small};
use crate::support::proxy::Proxy;
use crate::support::sshd::{SFTP_SERVER, Sshd};

pub(super) struct Sftp {
    pub(super) sshd: Sshd,
    pub(super) options: Options,
    /// Where the server's directory lies on this host.
    inbox: PathBuf,
}

impl Sftp {
    pub(super) fn start() -> Self {
        Self::of(Sshd::start(""))
    }

    fn of(sshd: Sshd) -> Self {
        let inbox = sshd.path("inbox");
        fs::create_dir(&inbox).expect("made");
        let options = sshd.options(inbox.display().to_string());
        Self { sshd, options, inbox }
    }

    /// As archives take files: the account sees a root of its own. None where the test may not change roots.
    fn chrooted() -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            eprintln!("skipped: only root may change roots");
            return None;
        }
        // Every folder above a root must be root's own; those for temporary files are everybody's.
        let directory = tempfile::Builder::new().prefix("kentai-test-").tempdir_in("/run").expect("made");
        let jail = directory.path().join("jail");
        fs::create_dir(&jail).expect("made");
        for folder in [directory.path(), &jail] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("set");
        }
        let more = format!("ChrootDirectory {}\nForceCommand internal-sftp", jail.display());
        let sshd = Sshd::start_in(directory, "internal-sftp", &more);
        let inbox = jail.join("inbox");
        fs::create_dir(&inbox).expect("made");
        let options = sshd.options("/inbox/");
        Some(Self { sshd, options, inbox })
    }

    fn with(&self, change: impl Fn(&mut Options)) -> Arc<dyn Courier> {
        let mut options = self.options.clone();
        change(&mut options);
        Arc::new(SftpCourier::new(options))
    }

    fn write(&self, folder: &str, path: &str, bytes: &[u8]) {
        let path = self.inbox.join(folder).join(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    async fn refused(&self, change: impl Fn(&mut Options)) -> String {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let said = self.with(change).carry(&small(directory.path())).await.expect_err("refused");
        assert!(matches!(said, Error::Unreachable { .. }), "{said}");
        said.to_string()
    }
}

impl Target for Sftp {
    fn courier(&self) -> Arc<dyn Courier> {
        self.with(|_| ())
    }

    fn unreachable(&self) -> (Arc<dyn Courier>, &'static str) {
        (self.with(|options| options.directory = "/nowhere".into()), "make /nowhere there, or correct `path:`")
    }

    fn files(&self) -> Files {
        let mut found = Files::new();
        read_folder(&self.inbox.join(FOLDER), "", &mut found);
        found
    }

    fn leftovers(&self) -> Vec<String> {
        super::others_in(&self.inbox)
    }

    fn place(&self) -> String {
        let Options { user, port, directory, .. } = &self.options;
        format!("sftp://{user}@127.0.0.1:{port}/{}/{FOLDER}", directory.trim_matches('/'))
    }

    fn plant(&self, path: &str, bytes: &[u8]) {
        self.write(FOLDER, path, bytes);
    }

    fn plant_half(&self, path: &str, bytes: &[u8]) {
        self.write(&format!(".{FOLDER}.partial-delivery-1"), path, bytes);
    }
}

mod open_ssh {
    super::promises!(Some(super::Sftp::start()));
}

mod inbox {
    super::promises!(super::Sftp::chrooted());
}

#[tokio::test]
async fn what_is_there_is_compared_and_only_the_rest_is_sent() {
    const MIB: usize = 1 << 20;
    let target = Sftp::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = large(directory.path(), 20 * MIB);
    let whole = &files(&package)["data/S1.cram"];
    let proxy = Proxy::start(target.sshd.port).await;
    target.sshd.know_at("host", proxy.port);
    // Sixteen of twenty are there, and one byte of them has rotted.
    let mut half = whole[..16 * MIB].to_vec();
    half[5 * MIB] ^= 1;
    target.plant_half("data/S1.cram", &half);
    for verify in [Verify::Read, Verify::Size] {
        let courier = target.with(|options| (options.port, options.verify) = (proxy.port, verify));
        courier.carry(&package).await.expect("carried");
        assert_whole(&target, &package);
    }
    let sent = usize::try_from(proxy.up()).expect("small");
    assert!((8 * MIB..10 * MIB).contains(&sent), "two parts of 4 MiB were sent, not {sent} bytes");
}

#[tokio::test]
async fn links_are_replaced_and_never_followed() {
    let target = Sftp::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = small(directory.path());
    let outside = target.sshd.path("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("S1.cram"), "mine").expect("written");
    target.plant_half("bagit.txt", b"");
    let partial = target.inbox.join(format!(".{FOLDER}.partial-delivery-1"));
    symlink(&outside, partial.join("data")).expect("linked");
    symlink(&outside, partial.join("junk")).expect("linked");
    target.courier().carry(&package).await.expect("carried");
    assert_whole(&target, &package);
    assert_eq!(fs::read_to_string(outside.join("S1.cram")).expect("there"), "mine");
}

#[tokio::test]
async fn an_empty_folder_in_its_place_is_a_conflict_too() {
    let target = Sftp::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(target.inbox.join(FOLDER)).expect("made");
    assert!(matches!(target.courier().carry(&small(directory.path())).await, Err(Error::Conflict { .. })));
    assert!(target.files().is_empty() && target.leftovers().is_empty());
}

#[tokio::test]
async fn only_the_pinned_key_is_believed() {
    let target = Sftp::start();
    target.sshd.know("other");
    let said = target.refused(|_| ()).await;
    let shown = std::process::Command::new("ssh-keygen").arg("-lf").arg(target.sshd.path("host.pub")).output();
    let shown = String::from_utf8(shown.expect("ssh-keygen").stdout).expect("text");
    let fingerprint = shown.split(' ').nth(1).expect("a fingerprint");
    assert!(said.contains(&format!("showed the key {fingerprint}")) && said.contains("in between"), "{said}");
    fs::write(target.sshd.path("known_hosts"), "").expect("written");
    let said = target.refused(|_| ()).await;
    assert!(said.contains("no key of `[127.0.0.1]") && said.contains("ssh-keyscan"), "{said}");
    let line = fs::read_to_string(target.sshd.path("host.pub")).expect("there");
    let line = format!("@revoked [127.0.0.1]:{0} {line}[127.0.0.1]:{0} {line}", target.sshd.port);
    fs::write(target.sshd.path("known_hosts"), line).expect("written");
    assert!(target.refused(|_| ()).await.contains("`@`"));
    fs::remove_file(target.sshd.path("known_hosts")).expect("there");
    assert!(target.refused(|_| ()).await.contains("known hosts in"));
    assert!(target.leftovers().is_empty());
}

#[tokio::test]
async fn whoever_is_not_let_in_hears_which_ways_there_are() {
    let target = Sftp::start();
    let other = target.sshd.path("other");
    let said = target.refused(|options| options.key = Some(other.clone())).await;
    assert!(said.contains("did not let") && said.contains("publickey"), "{said}");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o640)).expect("set");
    let said = target.refused(|options| options.key = Some(other.clone())).await;
    assert!(said.contains("0640") && !said.contains("PRIVATE"), "{said}");
    let public = target.sshd.path("user.pub");
    fs::set_permissions(&public, fs::Permissions::from_mode(0o600)).expect("set");
    let said = target.refused(|options| options.key = Some(public.clone())).await;
    assert!(said.contains("ssh-keygen -t ed25519"), "{said}");
    target.sshd.know_at("host", 1);
    assert!(target.refused(|options| options.port = 1).await.contains("connect to 127.0.0.1:1"));
}

#[tokio::test]
async fn a_server_that_takes_nothing_or_is_full_is_unreachable_with_its_reason() {
    let target = Sftp::of(Sshd::start("ForceCommand internal-sftp -R"));
    let said = target.refused(|_| ()).await;
    assert!(said.contains("Permission denied") && said.contains("write in"), "{said}");
    // A file may have 512 bytes, and whoever writes more gets an error instead of a signal: as on a disk that is full.
    let full =
        Sftp::of(Sshd::start(&format!("ForceCommand /bin/sh -c \"trap '' XFSZ; ulimit -f 1; exec {SFTP_SERVER}\"")));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let said = full.courier().carry(&large(directory.path(), 1 << 20)).await.expect_err("refused");
    let text = said.to_string();
    assert!(matches!(said, Error::Unreachable { .. }), "{text}");
    assert!(text.contains("write ") && text.contains("bytes are free there"), "{text}");
    assert!(full.files().is_empty());
    let closed = Sftp::of(Sshd::start("ForceCommand /bin/false"));
    closed.refused(|_| ()).await;
}
