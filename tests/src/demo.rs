//! Sites that `kentai demo --big` made: told once for each binary and number of specimens, and copied for whoever wants to change one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{kentai, root, tool};

/// When the story of every such site ends.
pub const NOW: &str = "2026-11-19T09:42:00+09:00";
/// The seed of [`demo_site`].
pub const SEED: u64 = 20_261_119;
/// Limits have tests of their own; a crawl asks more often than people do.
const LIMITS: &str = "{ requests_per_second: 100000, burst: 100000, connections_per_address: 4000 }";
/// An engine comes up, and what a person asked for is done, sooner than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demonstration's site of one's own.
pub struct Demo {
    /// Removed at the end.
    pub directory: tempfile::TempDir,
    engine: Option<Child>,
}

/// A site with so many order lines of patients: a copy, to be changed at will. Sixty show everything and take some seconds to tell, once.
///
/// # Errors
/// When it cannot be made.
pub fn demo_site(specimens: usize) -> Result<Demo> {
    let told = told(specimens)?;
    let directory = tempfile::tempdir()?;
    tool("cp", &["-a", "--reflink=auto", &told.to_string_lossy(), "site"], directory.path())?;
    Ok(Demo { directory, engine: None })
}

/// The same site, told anew: its story ends now, so that nothing that people have some days for is over.
///
/// # Errors
/// When it cannot be told.
pub fn demo_of_today(specimens: usize) -> Result<Demo> {
    let directory = tempfile::tempdir()?;
    told_into(&directory.path().join("site"), specimens, SEED, &[])?;
    Ok(Demo { directory, engine: None })
}

/// Tells a story anew: into `directory`, which is not there yet.
///
/// # Errors
/// When it cannot be told.
pub fn tell(directory: &Path, specimens: usize, seed: u64) -> Result<()> {
    told_into(directory, specimens, seed, &["--now", NOW])
}

fn told_into(directory: &Path, specimens: usize, seed: u64, ends: &[&str]) -> Result<()> {
    let output = Command::new(kentai()?)
        .args(["demo", "--big", "--quiet"])
        .args(ends)
        .args(["--specimens", &specimens.to_string(), "--seed", &seed.to_string()])
        .arg("--dir")
        .arg(directory)
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "kentai demo --big: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Where the story of this binary with so many specimens lies; told by whoever comes first, while the others wait.
fn told(specimens: usize) -> Result<PathBuf> {
    let binary = fs::metadata(kentai()?)?;
    let since = binary.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let place = root().join("target/demo-sites");
    fs::create_dir_all(&place)?;
    let lock = File::create(place.join("lock"))?;
    lock.lock()?;
    let stamp = format!("{}-{}", binary.len(), since.as_nanos());
    let (told, done) = (place.join(format!("{specimens}-{stamp}")), place.join(format!("{specimens}-{stamp}.done")));
    if !done.is_file() {
        forget_others(&place, &stamp)?;
        if told.exists() {
            fs::remove_dir_all(&told)?;
        }
        tell(&told, specimens, SEED)?;
        fs::write(&done, "")?;
    }
    Ok(told)
}

/// Stories that another binary told.
fn forget_others(place: &Path, stamp: &str) -> Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "lock" || name.contains(stamp) {
            continue;
        }
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

impl Demo {
    /// The site's directory.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("site")
    }

    /// Runs a verb as the site's owner, who has every role: exit code, standard output, standard error.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let output = Command::new(kentai()?).arg("--site").arg(self.path()).args(arguments).output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr)))
    }

    /// A verb that must end well; gives its standard output.
    ///
    /// # Errors
    /// When it does not.
    pub fn done(&self, arguments: &[&str]) -> Result<String> {
        let (code, told, said) = self.run(arguments)?;
        ensure!(code == 0, "kentai {}: {code}\n{told}{said}", arguments.join(" "));
        Ok(told)
    }

    /// Asks the database through SQLite's own program.
    ///
    /// # Errors
    /// When it refuses.
    pub fn sql(&self, sql: &str) -> Result<String> {
        let database = self.path().join("kentai.db").to_string_lossy().into_owned();
        Ok(tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], Path::new("/"))?.trim().to_owned())
    }

    /// Sets a password, as a person would.
    ///
    /// # Errors
    /// When it is refused.
    pub fn password(&self, name: &str, password: &str) -> Result<()> {
        let mut asked = Command::new(kentai()?);
        asked.arg("--site").arg(self.path()).args(["admin", "user", "password", name]);
        let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        asked.stdin.take().context("a pipe")?.write_all(format!("{password}\n").as_bytes())?;
        let output = asked.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Serves it on `port` of this machine, and on its socket, until it is dropped.
    ///
    /// # Errors
    /// When the engine does not come up.
    pub fn serve(&mut self, port: u16) -> Result<()> {
        let file = self.path().join("kentai.yaml");
        let text = fs::read_to_string(&file)?;
        let (before, _) = text.split_once("127.0.0.1:").context("an address in the site file")?;
        fs::write(&file, format!("{before}127.0.0.1:{port}\n    limits: {LIMITS}\n"))?;
        let log = File::create(self.directory.path().join("engine.log"))?;
        let mut command = Command::new(kentai()?);
        command.arg("--site").arg(self.path()).arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.engine = Some(command.spawn()?);
        self.until("the socket", |demo| Ok(demo.get("/healthz").is_ok()))
    }

    /// What the API says to the site's owner.
    ///
    /// # Errors
    /// When it says no.
    pub fn get(&self, path: &str) -> Result<Value> {
        let socket = self.path().join("run/kentai.sock").to_string_lossy().into_owned();
        let address = format!("http://kentai{path}");
        let told = tool("curl", &["--silent", "--fail", "--unix-socket", &socket, &address], Path::new("/"))?;
        Ok(serde_json::from_str(&told).unwrap_or(Value::String(told)))
    }

    /// Looks again and again; each look is a program's start, which is pause enough.
    ///
    /// # Errors
    /// When it does not come true.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !holds(self)? {
            if began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.directory.path().join("engine.log")).unwrap_or_default();
                bail!("waited too long for {what}\n{log}");
            }
        }
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let _ = engine.kill();
            let _ = engine.wait();
        }
    }
}
