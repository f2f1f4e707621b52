//! Client certificates instead of tokens: each program fetches for the data center whose certificate it shows; another one's finds
//! nothing, and one that the site does not know is not let in. Certificates by `openssl`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use kentai_tests::receivers::Receivers;
use kentai_tests::{kentai, tool};
use kentai_web::listen::{self, Files, Limits, Options};
use tokio_util::sync::CancellationToken;

use super::right::until_some;

/// SHA-256 of a certificate → whose it is.
type Known = Arc<Mutex<BTreeMap<String, String>>>;

/// A second door to the same house, with TLS.
struct Secure {
    base: String,
    /// Keys and certificates: `ca` has signed `site`, `dc1`, `dc2` and `nobody`; `other` has signed `stranger`.
    place: PathBuf,
    known: Known,
    token: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

impl Secure {
    fn open(site: &Receivers) -> Result<Self> {
        let place = site.door.place("certificates")?;
        let mut known = BTreeMap::new();
        for (ca, names) in [("ca", &["site", "dc1", "dc2", "nobody"][..]), ("other", &["stranger"])] {
            authority(&place, ca)?;
            for name in names {
                certificate(&place, ca, name)?;
            }
        }
        for name in ["dc1", "dc2", "stranger"] {
            // What a stranger shows would be known, if its authority were.
            let center = if name == "dc2" { "dc2" } else { "dc1" };
            known.insert(fingerprint(&place, name)?, format!("{center}-robot"));
        }
        let known: Known = Arc::new(Mutex::new(known));
        let whose = Arc::clone(&known);
        let files = Files {
            certificate: place.join("site.pem"),
            key: place.join("site.key"),
            client_ca: Some(place.join("ca.pem")),
        };
        let door = listen::Door::open(Options {
            address: "127.0.0.1:0".parse()?,
            tls: Some(files),
            plain_allowed: false,
            limits: Limits { requests_per_second: 10_000, burst: 10_000, ..Limits::default() },
            certificates: Arc::new(move |digest: &str| whose.lock().expect("no panic").get(digest).cloned()),
        })?;
        let (base, token) = (format!("https://{}", door.address()), CancellationToken::new());
        let router = kentai_web::router(site.house.handle().clone(), Arc::new(|_| None), kentai_web::TimeZone::UTC);
        let served = tokio::spawn(door.serve(router, token.clone()));
        Ok(Self { base, place, known, token, served })
    }

    async fn close(self) -> Result<()> {
        self.token.cancel();
        Ok(self.served.await?)
    }

    /// A file of keys and certificates, by its whole path.
    fn file(&self, name: &str) -> String {
        self.place.join(name).to_string_lossy().into_owned()
    }

    /// curl with this certificate (an empty name: none): how it ended, the status, and what came.
    fn curl(&self, name: &str, path: &str, more: &[&str]) -> Result<(i32, String, String)> {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "60", "-w", "\n%{http_code}", "--cacert", &self.file("ca.pem")]).args(more);
        if !name.is_empty() {
            let (certificate, key) = (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")));
            command.args(["--cert", &certificate, "--key", &key]);
        }
        let output = command.arg(format!("{}{path}", self.base)).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = said.rsplit_once('\n').context("a status")?;
        Ok((output.status.code().unwrap_or(-1), status.to_owned(), body.to_owned()))
    }
}

fn openssl(place: &Path, line: &str) -> Result<()> {
    tool("openssl", &line.split(' ').collect::<Vec<_>>(), place).map(drop)
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

fn authority(place: &Path, name: &str) -> Result<()> {
    openssl(place, &format!("req -x509 {KEY} -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name}"))
}

/// `NAME.pem` and `NAME.key`, for a server on this machine and for a client alike.
fn certificate(place: &Path, ca: &str, name: &str) -> Result<()> {
    let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
    std::fs::write(place.join("ext"), extensions)?;
    openssl(place, &format!("req {KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}"))?;
    let sign = format!("x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial");
    openssl(place, &format!("{sign} -out {name}.pem -days 30 -extfile ext"))?;
    Ok(std::fs::set_permissions(place.join(format!("{name}.key")), std::fs::Permissions::from_mode(0o600))?)
}

/// As the door reckons it.
fn fingerprint(place: &Path, name: &str) -> Result<String> {
    let pem = format!("{name}.pem");
    let said = tool("openssl", &["x509", "-noout", "-fingerprint", "-sha256", "-in", &pem], place)?;
    let digest = said.trim().rsplit('=').next().context("a fingerprint")?;
    Ok(digest.replace(':', "").to_lowercase())
}

/// More than any buffer between two programs.
fn large() -> String {
    (0..200_000).map(|line| format!("chr1\t{line}\t.\tA\tC\n")).collect()
}

/// What a program fetched beneath `place` is the package, says `sha256sum`.
fn is_whole(place: &Path) -> Result<()> {
    tool("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], place)?;
    tool("sha256sum", &["--check", "--strict", "--quiet", "tagmanifest-sha256.txt"], place).map(drop)
}

/// How each program fetches a whole package, and where it puts it. `<url>` is the package's address.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("curl", "-sS --fail --fail-early --cacert <ca> --cert <cert> --key <key> --create-dirs -o #1 <url>/{<names>}", ""),
    (
        "wget",
        "-q -r -np -nH --cut-dirs=2 --tries=1 --ca-certificate=<ca> --certificate=<cert> --private-key=<key> <url>/",
        "",
    ),
    (
        "aria2c",
        "-q --max-tries=1 --ca-certificate=<ca> --certificate=<cert> --private-key=<key> --follow-metalink=mem <url>.meta4",
        "<folder>",
    ),
    (
        "rclone",
        "--config /dev/null --retries 1 --low-level-retries 1 --ca-cert <ca> --client-cert <cert> --client-key <key> --http-url <url>/ copy :http: .",
        "",
    ),
    ("kentai", "pull get --all", "kentai-pull/packages/<folder>"),
];
const LOGIN: &str = "pull login <base> --ca <ca> --certificate <cert> --key <key> --trust-first";

/// A package, and the certificate that is shown.
struct Wish<'a> {
    secure: &'a Secure,
    name: &'a str,
    id: &'a str,
    folder: &'a str,
    paths: &'a str,
}

impl Wish<'_> {
    fn run(&self, program: &str, line: &str, place: &Path) -> Result<Output> {
        let mut command = Command::new(if program == "kentai" { kentai()? } else { Path::new(program) });
        command.args(line.split(' ').map(|word| self.fill(word))).current_dir(place);
        Ok(command.stdin(Stdio::null()).env_remove("KENTAI_TOKEN").output()?)
    }

    fn fill(&self, word: &str) -> String {
        let own = |end: &str| self.secure.file(&format!("{}.{end}", self.name));
        let url = format!("{}/deliveries/{}", self.secure.base, self.id);
        let word = word.replace("<url>", &url).replace("<base>", &self.secure.base).replace("<names>", self.paths);
        let word = word.replace("<cert>", &own("pem")).replace("<key>", &own("key"));
        word.replace("<ca>", &self.secure.file("ca.pem")).replace("<folder>", self.folder)
    }

    /// Fetches the whole package into an empty directory; how the program ended.
    fn fetch(&self, program: &str, line: &str, place: &Path) -> Result<Output> {
        if program == "kentai" {
            let login = self.run(program, LOGIN, place)?;
            if !login.status.success() {
                return Ok(login);
            }
        }
        self.run(program, line, place)
    }
}

/// Whether some file beneath a directory has these bytes.
fn holds(place: &Path, bytes: &[u8]) -> Result<bool> {
    for entry in std::fs::read_dir(place).into_iter().flatten() {
        let path = entry?.path();
        let found = if path.is_dir() { holds(&path, bytes)? } else { std::fs::read(&path)? == bytes };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_program_fetches_with_its_certificate_and_nothing_with_anothers() -> Result<()> {
    let site = Receivers::open().await?;
    let content = large();
    let (_, id) = site.offered("S1", &content).await?;
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?;
    let paths: Vec<&str> = entries.iter().filter_map(|entry| entry["path"].as_str()).collect();
    let (folder, paths) = (offer["folder"].as_str().context("a folder")?, paths.join(","));
    let secure = Secure::open(&site)?;
    for (program, line, within) in PROGRAMS {
        for name in ["dc1", "dc2", "nobody", "stranger"] {
            let place = site.door.place(&format!("{program}-{name}"))?;
            let wish = Wish { secure: &secure, name, id: &id, folder, paths: &paths };
            let output = wish.fetch(program, line, &place)?;
            let said = format!("{program} as {name}: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
            if name == "dc1" {
                ensure!(output.status.success(), "{said}");
                is_whole(&place.join(wish.fill(within))).context(said)?;
            } else {
                // Nothing is new to another data center: that is no failure of its client.
                let well = program == "kentai" && name == "dc2";
                ensure!(output.status.success() == well && !holds(&place, content.as_bytes())?, "{said}");
            }
        }
    }
    secure.close().await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_data_centers_certificate_finds_nothing_and_an_unknown_one_says_nothing() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let secure = Secure::open(&site)?;
    let missing = "d".repeat(id.len());
    for path in
        ["/api/v1/offers/ID", "/deliveries/ID", "/deliveries/ID/", "/deliveries/ID.meta4", "/deliveries/ID/data/S1.vcf"]
    {
        let ask = |name: &str, id: &str, more: &[&str]| -> Result<(i32, String, String)> {
            let (exit, status, said) = secure.curl(name, &path.replace("ID", id), more)?;
            Ok((exit, status, said.replace(id, "ID")))
        };
        let foreign = ask("dc2", &id, &[])?;
        ensure!(foreign.1 == "404" && foreign == ask("dc2", &missing, &[])?, "{path}: {foreign:?}");
        ensure!(["200", "308"].contains(&&*ask("dc1", &id, &[])?.1), "{path}: its own receiver");
        for name in ["", "nobody"] {
            let (exit, status, said) = ask(name, &id, &[])?;
            ensure!((exit, &*status) == (0, "401") && !said.contains("calls"), "{path} as `{name}`: {status} {said}");
        }
        let (exit, status, said) = ask("stranger", &id, &[])?;
        ensure!(exit != 0 && status == "000" && said.is_empty(), "{path} as a stranger: {exit} {status} {said}");
        // A token is looked at first, and a wrong one is not made good by a certificate.
        let [foreign, wrong] = [site.door.bearer("dc2")?, "Authorization: Bearer guess".to_owned()];
        ensure!(ask("dc1", &id, &["--header", &foreign])?.1 == "404", "{path}");
        ensure!(ask("dc1", &id, &["--header", &wrong])?.1 == "401", "{path}");
    }
    // Without its key a certificate is nobody's.
    let (theirs, own) = (secure.file("dc1.pem"), secure.file("dc2.key"));
    let (exit, status, _) = secure.curl("", &format!("/deliveries/{id}/"), &["--cert", &theirs, "--key", &own])?;
    ensure!(exit != 0 && status == "000", "{exit} {status}");
    secure.close().await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_known_by_itself_and_not_by_what_is_sent_with_it() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let secure = Secure::open(&site)?;
    // `nobody`, followed by a certificate that everybody may read and that is known.
    let chain = ["nobody", "dc1"].map(|name| std::fs::read_to_string(secure.place.join(format!("{name}.pem"))));
    let [own, known] = chain;
    std::fs::write(secure.place.join("chain.pem"), own? + &known?)?;
    std::fs::copy(secure.place.join("nobody.key"), secure.place.join("chain.key"))?;
    let (_, status, said) = secure.curl("chain", &format!("/deliveries/{id}/data/S1.vcf"), &[])?;
    ensure!(status != "200" && !said.contains("calls"), "{status} {said}");
    secure.close().await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_struck_off_ends_the_download_that_it_began() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", &"0123456789abcde\n".repeat(2 << 20)).await?;
    let secure = Secure::open(&site)?;
    let to = secure.place.join("S1.vcf");
    let mut curl = Command::new("curl")
        .args(["-sS", "--fail", "--limit-rate", "2M", "--cacert", &secure.file("ca.pem")])
        .args(["--cert", &secure.file("dc1.pem"), "--key", &secure.file("dc1.key"), "--output"])
        .arg(&to)
        .arg(format!("{}/deliveries/{id}/data/S1.vcf", secure.base))
        .stderr(Stdio::null())
        .spawn()?;
    until_some(&to).await?;
    secure.known.lock().expect("no panic").clear();
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    // 18: a part of the file; 56: the connection broke.
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    ensure!(std::fs::metadata(&to)?.len() < 32 << 20, "all of it came");
    secure.close().await?;
    site.check().await
}

/// One connection on which request follows request; openssl speaks TLS.
struct Stays {
    openssl: Child,
    says: std::io::BufReader<std::process::ChildStdout>,
}

impl Stays {
    fn open(secure: &Secure, name: &str) -> Result<Self> {
        let address = secure.base.trim_start_matches("https://");
        let (ca, own) = (secure.file("ca.pem"), |end: &str| secure.file(&format!("{name}.{end}")));
        let mut openssl = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-connect", address, "-CAfile", &ca])
            .args(["-cert", &own("pem"), "-key", &own("key")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let says = std::io::BufReader::new(openssl.stdout.take().context("a pipe")?);
        Ok(Self { openssl, says })
    }

    /// The status of the next answer.
    fn ask(&mut self, path: &str) -> Result<String> {
        write!(self.openssl.stdin.as_mut().context("a pipe")?, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")?;
        let (mut status, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            ensure!(self.says.read_line(&mut line)? > 0, "the connection ended");
            let line = line.trim_end().to_lowercase();
            if let Some(told) = line.strip_prefix("http/1.1 ") {
                status = told.chars().take(3).collect();
            } else if let Some(told) = line.strip_prefix("content-length: ") {
                length = told.parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        self.says.read_exact(&mut vec![0; length])?;
        Ok(status)
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_connection_that_stays_a_certificate_is_looked_at_again() -> Result<()> {
    let site = Receivers::open().await?;
    let secure = Secure::open(&site)?;
    let [mut first, mut second] = [Stays::open(&secure, "dc1")?, Stays::open(&secure, "dc2")?];
    for connection in [&mut first, &mut second] {
        ensure!(connection.ask("/api/v1/offers")? == "200");
    }
    // Struck off the list: from the next request on.
    let robot = secure.known.lock().expect("no panic").remove(&fingerprint(&secure.place, "dc1")?);
    ensure!(first.ask("/api/v1/offers")? == "401" && second.ask("/api/v1/offers")? == "200");
    secure.known.lock().expect("no panic").insert(fingerprint(&secure.place, "dc1")?, robot.context("it was known")?);
    ensure!(first.ask("/api/v1/offers")? == "200");
    // Its authority is trusted no more: when it is looked at the next time, some seconds later.
    std::fs::copy(secure.place.join("other.pem"), secure.place.join("ca.pem"))?;
    let told = tokio::task::spawn_blocking(move || {
        let begin = std::time::Instant::now();
        let status = loop {
            let status = first.ask("/api/v1/offers")?;
            if status != "200" {
                break status;
            }
            ensure!(begin.elapsed().as_secs() < 60, "it still counts");
            // Nobody is told that it counts no more: it is asked now and then.
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        ensure!(status == "401", "{status}");
        first.ask("/healthz")
    });
    ensure!(told.await?? == "200", "the connection itself is nobody's harm");
    secure.close().await?;
    site.check().await
}
