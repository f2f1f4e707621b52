//! `kentai pull` from the real server, cut at random places by a proxy while the server is killed now and then.
//!
//! Large on demand: `KENTAI_TEST_CUTS` (how many at least), `KENTAI_TEST_CUT_MIB` (bytes of the package), `KENTAI_TEST_CUT_KILLS`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_tests::proxy::{Proxy, Way};
use kentai_tests::receivers::sha256sum;
use kentai_tests::{Site, kentai, tool};
use serde_json::Value;

fn number(name: &str, otherwise: u64) -> Result<u64> {
    std::env::var(name).map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{name}={text}")))
}

/// A center whose server can be killed.
struct Center {
    site: Site,
    server: Option<Child>,
    port: u16,
}

impl Drop for Center {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Center {
    /// With one package of so many bytes on offer to `dc1`.
    fn open(bytes: u64) -> Result<(Self, String)> {
        // A port that was free a moment ago: the server must come back at the same one.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let site = Site::new(
            "cuts",
            &format!(
                "targets:\n  dc1: {{ kind: pull }}\nserve:\n  - listen: 127.0.0.1:{port}\n    limits: {{ requests_per_second: 10000, burst: 10000 }}\n"
            ),
        )?;
        site.write("x.txt", "x\n")?;
        site.write("sheet.csv", "specimen,x\nS1,x.txt\n")?;
        site.write(
            "big.yaml",
            &format!(
                "kentai: 1
workflow: big
specimen: {{ inputs: {{ x: file }} }}
steps:
  make:
    inputs: {{ x: \"${{{{ specimen.x }}}}\" }}
    outputs: {{ o: {{ path: big.bin }} }}
    script: head -c {bytes} /dev/urandom > \"$out_o\"
  give:
    handoff: {{ to: dc1, files: [\"${{{{ steps.make.o }}}}\"] }}
"
            ),
        )?;
        let (code, _, error) = site.run(["run", "big.yaml", "--sheet", "sheet.csv", "--executor", "process"])?;
        ensure!(code == 0, "the run: {code} {error}");
        let mut center = Self { site, server: None, port };
        center.start()?;
        center.kentai(&[
            "admin",
            "user",
            "add",
            "robot",
            "--service",
            "--roles",
            "data_center",
            "--data-center",
            "dc1",
        ])?;
        let token = center.kentai(&["admin", "token", "new", "robot"])?;
        let token = token["secret"].as_str().context("told once")?.to_owned();
        Ok((center, token))
    }

    fn kentai(&self, arguments: &[&str]) -> Result<Value> {
        let (code, told, error) = self.site.run(arguments.iter().chain(&["--json"]))?;
        ensure!(code == 0, "kentai {arguments:?}: {code} {error}");
        Ok(serde_json::from_str(&told)?)
    }

    fn start(&mut self) -> Result<()> {
        let command = &mut self.site.command(["serve", "--json", "--executor", "process"])?;
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        // It says where it listens when it does.
        let said = serde_json::Deserializer::from_reader(server.stdout.take().context("a pipe")?);
        let told: Option<std::result::Result<Value, _>> = said.into_iter().next();
        self.server = Some(server);
        told.context("the server ended")??;
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn pull(place: &Path, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(kentai()?);
    command.arg("pull").args(arguments).current_dir(place).stdin(Stdio::null());
    Ok(command)
}

#[test]
fn cut_again_and_again_and_the_server_killed_it_is_the_same_bytes_and_few_of_them_twice() -> Result<()> {
    let (cuts, kills) = (number("KENTAI_TEST_CUTS", 30)?, number("KENTAI_TEST_CUT_KILLS", 3)?);
    let bytes = number("KENTAI_TEST_CUT_MIB", 48)? << 20;
    let (mut center, token) = Center::open(bytes)?;
    let place = center.site.directory.path().join("theirs");
    std::fs::create_dir(&place)?;
    std::fs::write(place.join("token"), token)?;
    let proxy = Proxy::before(center.port)?;
    let login = pull(&place, &["login", &proxy.address(), "--token-file", "token"])?.output()?;
    ensure!(login.status.success(), "{}", String::from_utf8_lossy(&login.stderr));
    let before = proxy.given();
    // On the average half of `most`: so many connections are cut before the last byte.
    let seed = 7;
    proxy.set(Way::Cut { seed, most: (bytes / cuts).max(2) * 2 });
    let mut killed = 0;
    for call in 0.. {
        ensure!(call < 10_000, "it does not come to an end");
        let mut got = pull(&place, &["get", "--all", "--parallel", "2"])?.stderr(Stdio::null()).spawn()?;
        while killed < kills {
            // Spread over what is still to come.
            let next = before + bytes * (killed + 1) / (kills + 1);
            while proxy.given() < next && got.try_wait()?.is_none() {
                std::thread::park_timeout(std::time::Duration::from_millis(2));
            }
            if got.try_wait()?.is_some() {
                break;
            }
            center.kill();
            killed += 1;
            center.start()?;
        }
        if got.wait()?.success() {
            break;
        }
    }
    let (given, times) = (proxy.given() - before, proxy.cuts());
    let folder = packages(&place)?;
    tool("sha256sum", &["--quiet", "--strict", "-c", "manifest-sha256.txt"], &folder)?;
    let whole = center.site.path().join("artifacts/sha256");
    let sent = sha256sum(&folder.join("data/S1.bin"))?;
    ensure!(whole.join(&sent[..2]).join(&sent).exists(), "the center has no such file");
    let package: u64 = size(&folder)?;
    eprintln!(
        "{times} cuts, {killed} kills, {package} bytes: the client was given {:.4} times as many",
        given as f64 / package as f64
    );
    ensure!(times >= cuts / 2 && killed == kills, "only {times} cuts and {killed} kills");
    ensure!(given <= package / 100 * 102 + (1 << 20), "{given} bytes for {package}");
    Ok(())
}

/// The one package that was pulled.
fn packages(place: &Path) -> Result<PathBuf> {
    let all = std::fs::read_dir(place.join("kentai-pull/packages"))?.collect::<std::io::Result<Vec<_>>>()?;
    let found = all.iter().map(std::fs::DirEntry::path).find(|path| path.join("bagit.txt").is_file());
    found.context("no package was pulled")
}

fn size(folder: &Path) -> Result<u64> {
    let said = tool("du", &["--bytes", "--summarize", "--apparent-size", &folder.to_string_lossy()], Path::new("/"))?;
    Ok(said.split_whitespace().next().context("a number")?.parse()?)
}
