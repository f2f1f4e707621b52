//! TLS, against openssl's certificates and curl.

use std::os::unix::fs::PermissionsExt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::super::caller::Certificate;
use super::super::tls::{Error, Files, Tls};
use super::*;

const CA: &str = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n\
    x509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n";
const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/// A directory with `NAME.pem` and `NAME.key`.
struct Drawer(tempfile::TempDir);

impl Drawer {
    fn new() -> Self {
        let drawer = Self(tempfile::tempdir().expect("a directory"));
        drawer.put("ca.cnf", CA);
        drawer.put("index", "");
        drawer.put("serial", "01\n");
        drawer
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// Signed by itself, for 127.0.0.1.
    fn own(&self, name: &str, subject: &str) {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let more = ["-keyout", &key, "-out", &certificate, "-subj", subject, "-addext", "subjectAltName=IP:127.0.0.1"];
        openssl(self.0.path(), &[&["req", "-x509", "-days", "30"][..], &KEY, &more].concat());
        std::fs::set_permissions(self.path(&key), std::fs::Permissions::from_mode(0o600)).expect("ours");
    }

    /// A client's, signed by `ca`, good from and until (YYYYMMDDHHMMSSZ).
    fn client(&self, name: &str, ca: &str, from: &str, until: &str) {
        let [key, request, certificate] = ["key", "csr", "pem"].map(|end| format!("{name}.{end}"));
        let subject = format!("/CN={name}");
        let more = ["-keyout", &key, "-out", &request, "-subj", &subject];
        openssl(self.0.path(), &[&["req"][..], &KEY, &more].concat());
        let (ca_pem, ca_key) = (format!("{ca}.pem"), format!("{ca}.key"));
        let sign = ["ca", "-batch", "-config", "ca.cnf", "-notext", "-cert", &ca_pem, "-keyfile", &ca_key];
        let what = ["-in", &request, "-out", &certificate, "-startdate", from, "-enddate", until];
        openssl(self.0.path(), &[&sign[..], &what].concat());
    }

    fn files(&self, name: &str, client_ca: Option<&str>) -> Files {
        Files {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
            client_ca: client_ca.map(|name| self.path(name)),
        }
    }

    fn open(&self, name: &str, client_ca: Option<&str>) -> Opened {
        open(Options { tls: Some(self.files(name, client_ca)), ..options(Limits::default()) })
    }
}

/// The subject of the certificate that the door shows, as openssl reads it.
async fn shown(door: &Opened) -> String {
    let address = door.address.to_string();
    aside(move || {
        let script = "openssl s_client -connect \"$1\" </dev/null 2>/dev/null | openssl x509 -noout -subject";
        let output = Command::new("sh").args(["-c", script, "sh", &address]).output().expect("sh is there");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_spoken_and_older_ones_are_not() {
    let drawer = Drawer::new();
    drawer.own("site", "/CN=site");
    let door = open(Options { tls: Some(drawer.files("site", None)), ..options(quick()) });
    let (url, ca) = (format!("https://{}/healthz", door.address), drawer.text("site.pem"));
    for version in ["1.2", "1.3"] {
        let exactly = [format!("--tlsv{version}"), "--tls-max".into(), version.to_owned()];
        let exactly: Vec<&str> = exactly.iter().map(String::as_str).collect();
        assert_eq!(curl(&[&exactly[..], &["--cacert", &ca, &url]].concat()).await, (0, "ok\n".into()), "{version}");
    }
    let old = ["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", "--cacert", &ca, &url];
    assert_eq!(curl(&old).await.0, 35, "no handshake with TLS 1.1");
    let (bytes, _) = until_closed(door.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    assert!(!bytes.starts_with(b"HTTP"), "nothing is said in plain");
    // A handshake that does not come is not waited for.
    let (_, took) = until_closed(door.say("")).await;
    within(took, 500, 3_000);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_whole_through_tls() {
    let drawer = Drawer::new();
    drawer.own("site", "/CN=site");
    let door = drawer.open("site", None);
    let (url, ca, out) = (format!("https://{}/file", door.address), drawer.text("site.pem"), drawer.text("out"));
    assert_eq!(curl(&["--cacert", &ca, "-o", &out, &url]).await.0, 0);
    let got = std::fs::read(&out).expect("pulled");
    assert!(got.len() == LEN && got.iter().all(|byte| *byte == 7));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_read_without_a_restart_and_a_bad_one_changes_nothing() {
    let drawer = Drawer::new();
    drawer.own("site", "/CN=old");
    drawer.own("next", "/CN=new");
    let door = drawer.open("site", None);
    assert_eq!(shown(&door).await, "subject=CN = old");
    let replace = |end: &str, text: &[u8]| {
        // As renewals do: written beside, put in place at once.
        let beside = drawer.path("beside");
        std::fs::write(&beside, text).expect("written");
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600)).expect("ours");
        std::fs::rename(&beside, drawer.path(&format!("site.{end}"))).expect("in place");
    };
    let next = |end: &str| std::fs::read(drawer.path(&format!("next.{end}"))).expect("there");
    // No words, then a certificate that is not its key's: the old one stays.
    for bad in [b"nothing".to_vec(), next("pem")] {
        replace("pem", &bad);
        let begin = Instant::now();
        // Longer than the files are not looked at.
        while begin.elapsed() < Duration::from_millis(1_500) {
            assert_eq!(shown(&door).await, "subject=CN = old");
        }
    }
    replace("key", &next("key"));
    let begin = Instant::now();
    while shown(&door).await != "subject=CN = new" {
        assert!(begin.elapsed() < Duration::from_secs(20), "the new pair is not used");
    }
    door.close().await;
}

#[test]
fn files_that_must_not_be_used_are_not() {
    let drawer = Drawer::new();
    drawer.own("site", "/CN=a");
    drawer.own("other", "/CN=b");
    assert!(Tls::load(drawer.files("site", Some("other.pem"))).is_ok());
    let mixed = Files { key: drawer.path("other.key"), ..drawer.files("site", None) };
    assert!(matches!(Tls::load(mixed), Err(Error::Pair { .. })));
    assert!(matches!(Tls::load(drawer.files("nobody", None)), Err(Error::Read { .. })));
    assert!(matches!(Tls::load(drawer.files("site", Some("serial"))), Err(Error::Pem { .. })));
    // A file of a megabyte and more is nobody's list of authorities, whatever it begins with.
    let long = std::fs::read(drawer.path("site.pem")).expect("read").repeat(1 << 11);
    std::fs::write(drawer.path("long.pem"), long).expect("written");
    assert!(matches!(Tls::load(drawer.files("site", Some("long.pem"))), Err(Error::TooLarge { .. })));
    std::fs::set_permissions(drawer.path("site.key"), std::fs::Permissions::from_mode(0o640)).expect("ours");
    let open = Tls::load(drawer.files("site", None)).expect_err("others can read the key");
    assert!(matches!(open, Error::Open { .. }) && open.to_string().contains("chmod 600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_show_a_certificate_of_the_authority_or_none() {
    let drawer = Drawer::new();
    for (name, subject) in [("site", "/CN=site"), ("ca", "/CN=ca"), ("stranger", "/CN=stranger")] {
        drawer.own(name, subject);
    }
    drawer.client("good", "ca", "20200101000000Z", "20990101000000Z");
    drawer.client("over", "ca", "20200101000000Z", "20200102000000Z");
    drawer.client("early", "ca", "20980101000000Z", "20990101000000Z");
    drawer.client("foreign", "stranger", "20200101000000Z", "20990101000000Z");
    let door = drawer.open("site", Some("ca.pem"));
    let (url, ca) = (format!("https://{}/healthz", door.address), drawer.text("site.pem"));
    assert_eq!(curl(&["--cacert", &ca, &url]).await, (0, "ok\n".into()), "a token may follow");
    for (name, lets_in) in [("good", true), ("over", false), ("early", false), ("foreign", false)] {
        let (certificate, key) = (drawer.text(&format!("{name}.pem")), drawer.text(&format!("{name}.key")));
        let (exit, _) = curl(&["--cacert", &ca, "--cert", &certificate, "--key", &key, &url]).await;
        assert_eq!(exit == 0, lets_in, "{name}: curl says {exit}");
    }
    door.close().await;
}

#[test]
fn a_certificate_runs_out_on_a_connection_that_stays() {
    let drawer = Drawer::new();
    drawer.own("site", "/CN=site");
    drawer.own("ca", "/CN=ca");
    drawer.client("good", "ca", "20200101000000Z", "20380101000000Z");
    let tls = Tls::load(drawer.files("site", Some("ca.pem"))).expect("good");
    let chain = [CertificateDer::from_pem_file(drawer.path("good.pem")).expect("a certificate")];
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // 2038-01-01 is 2145916800; the authority is good for 30 days only, and an anchor's own time is not looked at.
    assert!(tls.now().is_good(&chain, at(2_145_916_800)));
    assert!(!tls.now().is_good(&chain, at(2_145_916_801)));
    assert!(!tls.now().is_good(&[], UnixTime::now()));
    let without = Tls::load(drawer.files("site", None)).expect("good");
    assert!(!without.now().is_good(&chain, UnixTime::now()), "no authority, nobody");
}

#[test]
fn an_authority_that_is_trusted_no_more_ends_what_it_vouched_for() {
    let drawer = Drawer::new();
    for (name, subject) in [("site", "/CN=site"), ("ca", "/CN=ca"), ("stranger", "/CN=stranger")] {
        drawer.own(name, subject);
    }
    drawer.client("good", "ca", "20200101000000Z", "20990101000000Z");
    let tls = Arc::new(Tls::load(drawer.files("site", Some("ca.pem"))).expect("good"));
    let chain = [CertificateDer::from_pem_file(drawer.path("good.pem")).expect("a certificate")];
    let shown = Certificate::new(&chain, &tls).expect("a chain");
    let begin = Instant::now();
    assert!(shown.is_good_at(begin));
    std::fs::rename(drawer.path("stranger.pem"), drawer.path("ca.pem")).expect("replaced");
    assert!(shown.is_good_at(begin + Duration::from_secs(9)), "it is not looked at for every request");
    // The files are looked at once a second.
    let looks = (1..).map(|number| begin + Duration::from_secs(10 * number));
    for now in looks {
        if !shown.is_good_at(now) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "it still counts");
        std::thread::sleep(Duration::from_millis(20));
    }
}
