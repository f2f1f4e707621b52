//! Outside witnesses that count: `docker events`, and lines of a file that only tools write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// `docker events`, recorded into a file from before the first start to after the last.
pub struct Recorder {
    child: Child,
    file: PathBuf,
}

impl Recorder {
    /// Begins to record the starts of this site's containers.
    ///
    /// # Errors
    /// When Docker's own client cannot be started.
    pub fn start(site: &str, file: PathBuf) -> Result<Self> {
        // From now on, however long the client takes to connect.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().to_string();
        let child = Command::new("docker")
            .args([
                "events",
                "--since",
                &now,
                "--filter",
                &format!("label=kentai.site={site}"),
                "--filter",
                "event=start",
            ])
            .args([
                "--format",
                "{{index .Actor.Attributes \"kentai.attempt\"}} {{index .Actor.Attributes \"kentai.step\"}}",
            ])
            .stdout(fs::File::create(&file)?)
            .stderr(Stdio::null())
            .spawn()
            .context("record docker events")?;
        Ok(Self { child, file })
    }

    /// Ends; gives how often each attempt (and step) was started.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn counts(mut self) -> Result<BTreeMap<String, usize>> {
        self.child.kill()?;
        self.child.wait()?;
        count_lines(&self.file)
    }
}

/// How often each line stands in a file.
///
/// # Errors
/// When it cannot be read.
pub fn count_lines(path: &Path) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(path)?.lines() {
        *counts.entry(line.to_owned()).or_insert(0) += 1;
    }
    Ok(counts)
}
