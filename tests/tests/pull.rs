//! `kentai pull` against a center of the tests' own, which keeps to the protocol until it is told not to.
//!
//! Oracles: `sha256sum` and `md5sum` say what was offered and what arrived, `openssl` makes the certificates, `ssh-keygen` checks what is
//! signed, the `crypt4gh` tool and the `phenopackets` package for Python are the other implementations.

mod center;
mod crypt;
mod cuts;
mod get;
mod hostile;
mod link;
mod package;
mod receipts;
mod tls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use kentai_tests::{kentai, tool};

use center::{Center, TOKEN};
use package::Package;

/// A data center's own directory.
struct Client {
    directory: tempfile::TempDir,
}

/// How a command ended.
struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Client {
    fn new() -> Result<Self> {
        Ok(Self { directory: tempfile::tempdir()? })
    }

    /// Logged in at this address.
    fn at(address: &str, more: &[&str]) -> Result<Self> {
        let client = Self::new()?;
        fs::write(client.path("given"), TOKEN)?;
        let told = client.run(&[&["login", address, "--token-file", "given"], more].concat())?;
        ensure!(told.code == 0, "{}", told.err);
        Ok(client)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn pulled(&self, name: &str) -> PathBuf {
        self.path("kentai-pull").join(name)
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(kentai()?);
        command.arg("pull").args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        for name in ["KENTAI_TOKEN", "KENTAI_PULL_DIRECTORY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        Ok(command)
    }

    fn run(&self, arguments: &[&str]) -> Result<Told> {
        told(self.command(arguments)?.output()?)
    }

    /// One that must end well.
    fn well(&self, arguments: &[&str]) -> Result<Told> {
        let told = self.run(arguments)?;
        ensure!(told.code == 0, "{arguments:?} ended with {}: {}{}", told.code, told.out, told.err);
        Ok(told)
    }

    /// Is the package here, whole, in the eyes of others?
    fn has(&self, package: &Package) -> Result<()> {
        let folder = self.pulled("packages").join(&package.detail.offer.folder);
        for (path, bytes) in &package.files {
            let found = fs::read(folder.join(path)).with_context(|| path.clone())?;
            ensure!(found == *bytes, "{path} has other bytes");
        }
        tool("sha256sum", &["--quiet", "--strict", "-c", "manifest-sha256.txt"], &folder)?;
        tool("md5sum", &["--quiet", "--strict", "-c", "manifest-md5.txt"], &folder)?;
        ensure!(files(&folder)? == package.files.len(), "there is more than was offered");
        Ok(())
    }

    /// Nothing is where finished packages are.
    fn has_none(&self) -> Result<()> {
        for entry in fs::read_dir(self.pulled("packages"))? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            ensure!(name.starts_with('.'), "{name} was given its place");
        }
        Ok(())
    }
}

fn told(output: Output) -> Result<Told> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Told { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) })
}

fn files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { files(&entry.path())? } else { 1 };
    }
    Ok(count)
}

/// A center with one package, and a client of it.
fn pair(package: &Package) -> Result<(Center, Client)> {
    let center = Center::start()?;
    center.offer(package);
    let client = Client::at(&center.address(), &[])?;
    Ok((center, client))
}
