//! Receivers outside, as programs that are not ours: each prints its port, and then a line of JSON for everything that it was given.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{peer, root};

/// Nothing in these tests takes so long; the limit only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A receiver at work; it ends when it is dropped.
pub struct Receiver {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Receiver {
    /// Starts `tests/fixtures/peers/<script>`; none when `KENTAI_TEST_PEERS` is `0`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(script: &str, arguments: &[&str]) -> Result<Option<Self>> {
        let Some(python) = peer("python")? else { return Ok(None) };
        let script = root().join("tests/fixtures/peers").join(script);
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("run python")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let port = tokio::time::timeout(PATIENCE, lines.next_line()).await??.context("it ended before it listened")?;
        Ok(Some(Self { port: port.parse()?, lines, _child: child }))
    }

    /// The next thing that it is given.
    ///
    /// # Errors
    /// When nothing comes.
    pub async fn next(&mut self) -> Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.context("nothing came")??;
        Ok(serde_json::from_str(&line.context("the receiver ended")?)?)
    }

    /// Nothing more was given to it by now. Asked when the engine has said what became of everything.
    ///
    /// # Errors
    /// When something was.
    pub async fn no_more(&mut self) -> Result<()> {
        tokio::select! {
            biased;
            line = self.lines.next_line() => {
                ensure!(matches!(line, Ok(None)), "it was given more: {line:?}");
                Ok(())
            }
            () = std::future::ready(()) => Ok(()),
        }
    }
}
