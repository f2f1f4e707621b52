//! The door to the network of the real program: who is let in by what, and who cannot keep it shut. curl and openssl ask.

mod elsewhere;
mod page;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, tool};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde_json::Value;

/// `kentai serve`, and where it listens.
struct Serving {
    site: Site,
    child: Child,
    addresses: Vec<SocketAddr>,
}

impl Serving {
    fn start(site: Site) -> Result<Self> {
        let mut child = site.command(["serve", "--json"])?.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let said = serde_json::Deserializer::from_reader(child.stdout.take().context("a pipe")?);
        let told: Value = said.into_iter().next().context("serve says where it listens")??;
        let addresses = serde_json::from_value(told["addresses"].clone())?;
        Ok(Self { site, child, addresses })
    }

    /// One verb of an operator beside it, as JSON.
    fn kentai(&self, arguments: &[&str]) -> Result<Value> {
        let (exit, told, error) = self.site.run(arguments.iter().chain(&["--json"]))?;
        ensure!(exit == 0, "kentai {arguments:?}: {exit} {error}");
        Ok(serde_json::from_str(&told)?)
    }

    fn account(&self, name: &str) -> Result<String> {
        self.kentai(&["admin", "user", "add", name, "--service", "--roles", "operator"])?;
        let made = self.kentai(&["admin", "token", "new", name])?;
        Ok(made["secret"].as_str().context("told once")?.to_owned())
    }

    /// Asks for a path: status and everything that came, headers too.
    fn ask(&self, path: &str, more: &[&str]) -> Result<(String, String)> {
        let url = format!("https://{}{path}", self.addresses[0]);
        let fixed = ["-sS", "-i", "--cacert", "site.pem", "-w", "\n%{http_code}", &url];
        let told = tool("curl", &[&fixed[..], more].concat(), &self.site.path())?;
        let (rest, status) = told.rsplit_once('\n').context("curl ends with the status")?;
        Ok((status.to_owned(), rest.to_lowercase()))
    }

    fn expect(&self, path: &str, more: &[&str], status: &str) -> Result<String> {
        let (found, told) = self.ask(path, more)?;
        ensure!(found == status, "{path} with {more:?}: {found} and not {status}\n{told}");
        Ok(told)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Keys and certificates in the site's directory: `site`, `ca`, and `client`, which `ca` has signed.
fn certificates(site: &Site) -> Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let openssl = |arguments: &[&str]| tool("openssl", arguments, &site.path());
    for name in ["site", "ca"] {
        let [file, pem, subject] = [format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}")];
        let more = ["-keyout", &file, "-out", &pem, "-subj", &subject, "-addext", "subjectAltName=IP:127.0.0.1"];
        openssl(&[&["req", "-x509", "-days", "30"], &key[..], &more].concat())?;
        std::fs::set_permissions(site.path().join(file), std::fs::Permissions::from_mode(0o600))?;
    }
    openssl(&[&["req", "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=client"], &key[..]].concat())?;
    // Without extensions openssl makes a certificate of version 1, which nobody should take.
    site.write("site/client.ext", "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")?;
    let sign = [
        "x509",
        "-req",
        "-extfile",
        "client.ext",
        "-days",
        "30",
        "-in",
        "client.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
    ];
    openssl(&[&sign[..], &["-CAcreateserial", "-out", "client.pem"]].concat())?;
    Ok(())
}

/// `kentai.yaml` of a site with a door that takes tokens and certificates; `whose`: lines of `client_certificates:`.
fn settings(limits: &str, whose: &str) -> String {
    format!(
        "site: door\nserve:\n- listen: \"127.0.0.1:0\"\n  tls: {{ certificate: site.pem, key: site.key, client_ca: ca.pem }}\n  \
         limits: {{ {limits} }}\nclient_certificates: [ {whose} ]\n"
    )
}

fn open(limits: &str) -> Result<Serving> {
    let site = Site::new("door", "")?;
    certificates(&site)?;
    std::fs::write(site.path().join("kentai.yaml"), settings(limits, ""))?;
    Serving::start(site)
}

const SITE: &str = "/api/v1/site";

#[test]
fn a_token_or_a_certificate_says_who_asks_and_the_machines_user_never_does() -> Result<()> {
    let door = open("")?;
    let token = door.account("robot")?;
    door.kentai(&["admin", "user", "add", "dc1", "--service", "--roles", "operator"])?;
    // Whoever runs this owns the site, and may do everything over its socket.
    let socket = door.site.path().join("run/kentai.sock").display().to_string();
    let own = tool("curl", &["-s", "--unix-socket", &socket, &format!("http://site{SITE}")], &door.site.path())?;
    ensure!(own.contains("\"name\":\"door\""), "over the socket: {own}");
    let nobody = door.expect(SITE, &[], "401")?;
    ensure!(nobody.contains("www-authenticate: bearer\r\n"), "{nobody}");
    ensure!(nobody.contains("content-type: application/problem+json"), "{nobody}");

    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    door.expect(SITE, &["-H", &bearer(&token)], "200")?;
    let wrong = format!("{}x", &token[..token.len() - 1]);
    let refused = door.expect(SITE, &["-H", &bearer(&wrong)], "401")?;
    ensure!(refused.contains("error=\"invalid_token\""), "{refused}");
    door.expect(SITE, &["-H", "Authorization: Basic cm9vdDpyb290"], "401")?;

    let shows = ["--cert", "client.pem", "--key", "client.key"];
    let foreign = door.expect(SITE, &shows, "401")?;
    ensure!(foreign.contains("client_certificates"), "it says what to do: {foreign}");
    let digest =
        tool("openssl", &["x509", "-noout", "-fingerprint", "-sha256", "-in", "client.pem"], &door.site.path())?;
    let digest = digest.trim().rsplit('=').next().context("a fingerprint")?.to_owned();
    let write = |whose: &str| std::fs::write(door.site.path().join("kentai.yaml"), settings("", whose));
    write(&format!("{{ sha256: \"{digest}\", person: nobody }}"))?;
    door.expect(SITE, &shows, "401")?;
    let other = "ab".repeat(32);
    write(&format!("{{ sha256: \"{other}\", person: dc1 }}"))?;
    door.expect(SITE, &shows, "401")?;
    write(&format!("{{ sha256: \"{other}\", person: nobody }}, {{ sha256: \"{digest}\", person: dc1 }}"))?;
    door.expect(SITE, &shows, "200")?;
    // A wrong token is refused, whatever certificate comes with it.
    door.expect(SITE, &[&shows[..], &["-H", &bearer(&wrong)]].concat(), "401")?;
    door.kentai(&["admin", "user", "disable", "dc1"])?;
    door.expect(SITE, &shows, "401")?;
    write(&format!("{{ sha256: \"{digest}\", person: robot }}"))?;
    door.expect(SITE, &shows, "200")?;
    write("")?;
    door.expect(SITE, &shows, "401")?;
    Ok(())
}

#[test]
fn every_answer_is_kept_from_browsers_and_caches() -> Result<()> {
    let door = open("")?;
    for (path, status) in [("/healthz", "200"), ("/readyz", "200"), (SITE, "401"), ("/nowhere", "404")] {
        let told = door.expect(path, &[], status)?;
        for header in [
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "referrer-policy: no-referrer",
            "strict-transport-security: max-age=",
        ] {
            ensure!(told.contains(header), "{path} without {header}:\n{told}");
        }
    }
    Ok(())
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again() -> Result<()> {
    let door = open("requests_per_second: 1, burst: 6")?;
    let [busy, other] = [door.account("busy")?, door.account("other")?];
    let ask = |header: &str| -> Result<(String, String)> { door.ask(SITE, &["-H", header]) };
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    let mut statuses = Vec::new();
    for _ in 0..30 {
        let (status, told) = ask(&bearer(&busy))?;
        if status == "429" {
            ensure!(told.contains("retry-after: 1\r\n"), "{told}");
        }
        statuses.push(status);
    }
    ensure!(statuses[..6].iter().all(|status| status == "200"), "{statuses:?}");
    ensure!(statuses.iter().any(|status| status == "429"), "{statuses:?}");
    ensure!(ask(&bearer(&other))?.0 == "200", "others are not concerned");
    // Who guesses is counted by address.
    let guesses: Vec<String> =
        (0..30).map(|_| ask("Authorization: Bearer guess").map(|(status, _)| status)).collect::<Result<_>>()?;
    ensure!(guesses[0] == "401" && guesses.iter().any(|status| status == "429"), "{guesses:?}");
    ensure!(ask(&bearer(&other))?.0 == "200", "whoever is known does not wait for those who guess");
    Ok(())
}

/// As many open files as this process may have.
fn raise_files() -> Option<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok().and(maximum)
}

#[test]
fn five_thousand_who_only_connect_do_not_keep_others_out() -> Result<()> {
    const STALLED: usize = 5_000;
    ensure!(raise_files().is_none_or(|files| files > STALLED as u64 + 500), "raise `ulimit -n` for this test");
    // All of them are of one address here; with bounds as if they were of many.
    let door = open("connections_per_address: 100000")?;
    let address = door.addresses[0];
    let mut stalled = Vec::with_capacity(STALLED);
    for number in 0..STALLED {
        let mut peer = TcpStream::connect_timeout(&address, Duration::from_secs(20))?;
        // Some say nothing, some begin a handshake and stop.
        if number % 2 == 0 {
            peer.write_all(&[0x16, 0x03, 0x01])?;
        }
        stalled.push(peer);
    }
    let url = format!("https://{address}/healthz");
    let mut took = Vec::new();
    for _ in 0..11 {
        let timed = ["-sS", "--cacert", "site.pem", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", &url];
        let told = tool("curl", &timed, &door.site.path())?;
        let (status, seconds) = told.split_once(' ').context("two words")?;
        ensure!(status == "200", "{told}");
        took.push(Duration::from_secs_f64(seconds.parse()?));
    }
    took.sort();
    eprintln!("with their handshakes, beside {STALLED} stalled connections: {took:?}");
    // The middle one: a machine that builds something meanwhile is slow at times, also without them.
    ensure!(took[5] < Duration::from_millis(100), "{took:?}");
    drop(stalled);
    Ok(())
}

#[test]
fn a_door_that_cannot_be_opened_is_said_so_and_nothing_is_served() -> Result<()> {
    let site = Site::new("door", "")?;
    certificates(&site)?;
    std::fs::set_permissions(site.path().join("site.key"), std::fs::Permissions::from_mode(0o644))?;
    std::fs::write(site.path().join("kentai.yaml"), settings("", ""))?;
    let (exit, _, error) = site.run(["serve"])?;
    ensure!(exit == 2 && error.contains("chmod 600"), "{exit}: {error}");
    Ok(())
}
