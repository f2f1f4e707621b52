//! `qc import`: what tools wrote about a specimen, judged by the assay's criteria. Each file is recognized by what is in it.

use std::fmt::Write as _;
use std::path::PathBuf;

use kentai_engine::qc::import::{Format, detect, values};
use kentai_engine::qc::verdict::Value;
use kentai_engine::scheduler::center::request::Request;
use sha2::{Digest, Sha256};

use super::center::ask;
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;

/// A file of metrics is never larger.
const BYTES_MAX: u64 = 64 << 20;

/// Reads the files, brings their values, and says the verdict.
pub(crate) async fn import(
    site: &Site,
    output: Output,
    order_line: String,
    files: Vec<PathBuf>,
) -> anyhow::Result<Exit> {
    let mut all = Vec::new();
    for file in files {
        all.extend(read(&file)?);
    }
    ask(site, output, Request::Measured { order_line, values: all }).await
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<Value>> {
    let at = |exit, what: String| Stop::new(exit, format!("{}: {what}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| at(Exit::NotFound, error.to_string()))?.len();
    if size > BYTES_MAX {
        return Err(at(Exit::CheckFailed, format!("it has {size} bytes; metrics have at most {BYTES_MAX}")).into());
    }
    let bytes = std::fs::read(file).map_err(|error| at(Exit::NotFound, error.to_string()))?;
    let known = || Format::ALL.iter().map(|format| format.word()).collect::<Vec<_>>().join(", ");
    let format = detect(&bytes)
        .ok_or_else(|| at(Exit::CheckFailed, format!("no tool's format that is known here; known are: {}", known())))?;
    let mut found = values(format, &bytes).map_err(|error| at(Exit::CheckFailed, error.to_string()))?;
    let digest = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    found.iter_mut().for_each(|value| value.source_sha256.clone_from(&digest));
    Ok(found)
}
