//! A bucket of moto, an S3 server that is not ours, and a look at it by boto3.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::peers::peer;

const BUCKET: &str = "inbox";
const KEY: &str = "AKIATEST";
const SECRET: &str = "se/cr+et";
const REGION: &str = "eu-west-1";

/// A server with one bucket; it ends with the test.
pub(crate) struct Bucket {
    python: PathBuf,
    folder: tempfile::TempDir,
    server: Child,
    scheme: &'static str,
    pub(crate) port: u16,
}

impl Bucket {
    /// None where the tests go without tools of others.
    pub(crate) fn start() -> Option<Self> {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Over TLS, certified by the authority in `authority.pem`; boto3 does not look at it.
    pub(crate) fn start_certified() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        fs::write(folder.path().join("leaf"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
            .expect("written");
        let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for line in [
            format!("req -x509 {new_key} -keyout authority.key -out authority.pem -days 2 -subj /CN=authority"),
            format!("req {new_key} -keyout key.pem -out request.pem -subj /CN=server"),
            "x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile leaf \
             -out cert.pem"
                .into(),
        ] {
            let made = Command::new("openssl").args(line.split_whitespace()).current_dir(folder.path()).output();
            let made = made.expect("openssl");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let mut bucket = Self::start_in(folder)?;
        bucket.scheme = "https";
        Some(bucket)
    }

    fn start_in(folder: tempfile::TempDir) -> Option<Self> {
        let python = peer("python3")?;
        let mut server = Command::new(&python)
            .arg(script("s3_server.py"))
            .arg(folder.path())
            .args([BUCKET, KEY, SECRET, REGION])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("its port");
        let port = line.trim().parse().expect("the server started");
        let bucket = Self { python, folder, server, scheme: "http", port };
        bucket.write_credentials(KEY, SECRET);
        Some(bucket)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn credentials(&self) -> PathBuf {
        self.path("credentials")
    }

    pub(crate) fn write_credentials(&self, key: &str, secret: &str) {
        let text = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
        fs::write(self.credentials(), text).expect("written");
        fs::set_permissions(self.credentials(), fs::Permissions::from_mode(0o600)).expect("set");
    }

    /// Writes are answered with this status and code; none: as they should be.
    pub(crate) fn fault(&self, fault: Option<&str>) {
        match fault {
            Some(fault) => fs::write(self.path("fault"), fault).expect("written"),
            None => fs::remove_file(self.path("fault")).expect("there was one"),
        }
    }

    /// From now on it tells no checksums, as some servers do.
    pub(crate) fn be_silent(&self) {
        fs::write(self.path("silent"), "").expect("written");
    }

    /// The next object that is written is there before.
    pub(crate) fn race(&self) {
        fs::write(self.path("race"), "").expect("written");
    }

    /// From now on it keeps other bytes than it was sent, and tells the checksum of those that were sent.
    pub(crate) fn rot(&self) {
        fs::write(self.path("rot"), "").expect("written");
    }

    /// The courier's requests so far, `METHOD /bucket/key?query …`.
    pub(crate) fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Every object beneath the prefix.
    pub(crate) fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        self.look(&["fetch", prefix, &folder.path().display().to_string()]);
        let mut found = BTreeMap::new();
        super::read_folder(folder.path(), "", &mut found);
        found
    }

    /// `key id` of every upload that nobody completed.
    pub(crate) fn uploads(&self) -> Vec<String> {
        self.look(&["uploads"]).lines().map(str::to_owned).collect()
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        fs::write(self.path("put"), bytes).expect("written");
        self.look(&["put", key, &self.path("put").display().to_string()]);
    }

    /// Begins an upload and writes its first parts.
    pub(crate) fn begin(&self, key: &str, parts: &[&[u8]]) -> String {
        let mut arguments = vec!["begin".to_owned(), key.to_owned()];
        for (number, part) in parts.iter().enumerate() {
            let path = self.path(&format!("part-{number}"));
            fs::write(&path, part).expect("written");
            arguments.push(path.display().to_string());
        }
        self.look(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).trim().to_owned()
    }

    fn look(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.python)
            .arg(script("s3_look.py"))
            .args([&self.endpoint(), KEY, SECRET, REGION, BUCKET])
            .args(arguments)
            .output()
            .expect("python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) fn options(&self, prefix: &str) -> kentai_executors::courier::s3::Options {
        use kentai_executors::courier::s3::{Options, Style, Verify};
        Options {
            target: "partner".into(),
            endpoint: self.endpoint(),
            style: Style::Path,
            region: REGION.into(),
            bucket: BUCKET.into(),
            prefix: prefix.into(),
            credentials: self.credentials(),
            authorities: None,
            verify: Verify::Checksums,
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // It ends with its input; waiting for it leaves no zombie.
        drop(self.server.stdin.take());
        drop(self.server.wait());
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}
