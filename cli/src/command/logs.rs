//! `logs`: what a tool said, as it said it.

use clap::Args;
use kentai_engine::store::read::Reader;
use kentai_engine::store::rows;
use kentai_engine::view::center::Inner;
use kentai_engine::view::log::{self, Unclear};

use super::watch::{LOOK, interrupted};
use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;

/// Arguments of `logs`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai logs r019ab3                       the last attempt that failed, else the last
  kentai logs r019ab3 align/L004 --follow
  kentai logs r019ab3 call --attempt 1")]
pub(crate) struct Logs {
    /// Run id, or the beginning of one
    run: String,
    /// Step (`trim/L001`); without it, the last attempt that failed
    step: Option<String>,
    /// Attempt of the step, counted from 1, or an attempt's whole id
    #[arg(long)]
    attempt: Option<String>,
    /// Go on until the tool ends
    #[arg(long, short)]
    follow: bool,
}

impl Logs {
    /// Prints what a tool said.
    pub(crate) async fn print(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::of_the_center(site, Inner::Run, Some(&self.run)).await?;
        let reader = access::reader(site).await?;
        let run = access::run_id(&reader, &self.run).await?;
        let chosen = self.choose(&reader, run.as_str(), None).await?.attempt_id.to_string();
        let (mut all, mut offset) = (Vec::new(), 0);
        let is_final = loop {
            // The same attempt, also when another one has begun meanwhile; its row says whether it has ended.
            let attempt = self.choose(&reader, run.as_str(), Some(&chosen)).await?;
            let chunk = log::read_log(&site.directory, &attempt, offset, log::CHUNK_BYTES_MAX)?;
            offset = chunk.next;
            if output.json {
                all.extend_from_slice(&chunk.bytes);
            } else if !output.bytes(&chunk.bytes) {
                return Ok(Exit::Done);
            }
            if chunk.is_final || chunk.bytes.is_empty() && !self.follow {
                break chunk.is_final;
            }
            if chunk.bytes.is_empty() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = interrupted() => return Ok(Exit::Interrupted),
                }
            }
        };
        if output.json {
            let text = String::from_utf8_lossy(&all);
            output.json(&serde_json::json!({ "attempt": chosen, "text": text, "final": is_final }));
        } else if offset == 0 {
            output.say(format!("the log of attempt {chosen} is empty"));
        }
        Ok(Exit::Done)
    }

    async fn choose(&self, reader: &Reader, run: &str, id: Option<&str>) -> anyhow::Result<rows::Attempt> {
        let attempts = reader.attempts(run).await?;
        let number = id.or(self.attempt.as_deref());
        Ok(log::choose(&attempts, self.step.as_deref(), number).map_err(unclear)?.clone())
    }
}

fn unclear(unclear: Unclear) -> Stop {
    let exit = if matches!(unclear, Unclear::Several { .. }) { Exit::State } else { Exit::NotFound };
    Stop::new(exit, unclear.to_string())
}
