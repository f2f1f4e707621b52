//! What the tests of the whole house share: the real binary, throw-away sites, the tool image.
//!
//! The tests themselves lie in `tests/`; their oracles are programs and files that are not ours.

#![expect(clippy::print_stderr, reason = "tests speak to people")]

pub mod demo;
pub mod house;
pub mod invariants;
pub mod page;
pub mod proxy;
pub mod receiver;
pub mod receivers;
pub mod recorder;
pub mod seed;
pub mod slurm;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The `kentai` binary of this tree, built when it is not up to date.
///
/// # Errors
/// When it cannot be built.
pub fn kentai() -> Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BINARY.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow::anyhow!(error.clone()))
}

fn build() -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    // Every feature, as scripts/lib.sh has it for whatever else is built for tests.
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "kentai", "--all-features"]).current_dir(root());
    // A test runner says which package it tests. The build script of ring takes that for its own, and with it everything above ring would
    // be built anew, there and back with every run.
    for (name, _) in std::env::vars_os() {
        let said = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| said.starts_with(start)) {
            build.env_remove(&name);
        }
    }
    let status = build.status().context("run cargo")?;
    ensure!(status.success(), "build kentai");
    // …/deps/all-0123 → …/kentai
    let test = std::env::current_exe()?;
    let binary = test.parent().and_then(Path::parent).context("a test binary lies in deps/")?.join("kentai");
    ensure!(binary.is_file(), "{} is not there", binary.display());
    Ok(binary)
}

/// A throw-away directory with a site in it.
pub struct Site {
    /// Removed at the end.
    pub directory: tempfile::TempDir,
    config: String,
}

impl Site {
    /// A new site with this name (part of container names) and more lines for its `kentai.yaml`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str, more: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let config = format!("site: {name}\n{more}");
        let site = Self { directory, config };
        fs::create_dir(site.path())?;
        fs::write(site.path().join("kentai.yaml"), &site.config)?;
        Ok(site)
    }

    /// The site's directory.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("site")
    }

    /// A file beside the site.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// `kentai --site … ARGUMENTS`, ready to be started.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Command> {
        let mut command = Command::new(kentai()?);
        command.arg("--site").arg(self.path()).args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs it to its end: exit code, standard output, standard error.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<(i32, String, String)> {
        let Output { status, stdout, stderr } = self.command(arguments)?.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((status.code().unwrap_or(-1), text(stdout), text(stderr)))
    }
}

/// Runs a program that is not ours and gives its standard output.
///
/// # Errors
/// When it cannot be run or fails.
pub fn tool(program: &str, arguments: &[&str], directory: &Path) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .with_context(|| format!("run {program}"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Builds the tool image when it is not there.
///
/// # Errors
/// When Docker does not answer or the image cannot be built.
pub fn tool_image() -> Result<&'static str> {
    const IMAGE: &str = "kentai/seqtools:1";
    if tool("docker", &["image", "inspect", IMAGE], &root()).is_err() {
        tool("docker", &["version"], &root()).context("Docker must answer for these tests (scripts/test starts it)")?;
        tool("bash", &["images/seqtools/build"], &root())?;
    }
    Ok(IMAGE)
}

/// May Docker tests be skipped? Only when someone says so.
#[must_use]
pub fn without_docker() -> bool {
    let skip = std::env::var_os("KENTAI_TEST_DOCKER").is_some_and(|value| value == "0");
    if skip {
        eprintln!("skipped: KENTAI_TEST_DOCKER=0");
    }
    skip
}

/// Where Chromium's driver for Node and axe lie, as `tests/browser/package-lock.json` names them; none when `KENTAI_TEST_BROWSER` is `0`.
///
/// # Errors
/// When they are not installed and nobody said that they may be missing.
pub fn browser() -> Result<Option<PathBuf>> {
    let given = std::env::var_os("KENTAI_TEST_BROWSER");
    if given.as_ref().is_some_and(|value| value == "0") {
        eprintln!("skipped: KENTAI_TEST_BROWSER=0");
        return Ok(None);
    }
    let folder = given.map_or_else(|| root().join("target/browser"), PathBuf::from);
    if !folder.join("node_modules").is_dir() {
        bail!("{} is not there (scripts/test installs it; KENTAI_TEST_BROWSER=0 goes without)", folder.display());
    }
    Ok(Some(folder))
}

/// A program of another house's making from the Python packages of `scripts/peers.txt`; none when `KENTAI_TEST_PEERS` is `0`.
///
/// # Errors
/// When it is not installed and nobody said that it may be missing.
pub fn peer(program: &str) -> Result<Option<PathBuf>> {
    let given = std::env::var_os("KENTAI_TEST_PEERS");
    if given.as_ref().is_some_and(|value| value == "0") {
        eprintln!("skipped: KENTAI_TEST_PEERS=0");
        return Ok(None);
    }
    let folder = given.map_or_else(|| root().join("target/peers"), PathBuf::from);
    let path = folder.join("bin").join(program);
    if !path.is_file() {
        bail!("{} is not there (scripts/test installs it; KENTAI_TEST_PEERS=0 goes without)", path.display());
    }
    Ok(Some(path))
}
