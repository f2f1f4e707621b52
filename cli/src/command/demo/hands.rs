//! Can this machine carry the demonstration? Asked before anything is simulated.

use kentai_engine::port::executor::Executor;

use crate::assemble;
use crate::exit::{Exit, Stop};
use crate::site::Site;

/// What the line needs on the machine when no containers are used.
const TOOLS: [&str; 6] = ["bash", "bwa", "samtools", "bcftools", "fastp", "gzip"];
/// What it needs when they are.
const IMAGE: &str = "kentai/seqtools:1";

/// Says what is missing, and how to get it.
pub(super) async fn look(site: &Site, executor: &str) -> anyhow::Result<()> {
    let hands = assemble::executors(site, Some(executor))?;
    match hands.first() {
        Some(hands) if hands.needs_image() => containers(hands.as_ref()).await,
        _ => tools(),
    }
}

async fn containers(hands: &dyn Executor) -> anyhow::Result<()> {
    if let Err(error) = hands.ping().await {
        let message = format!("{error}; start the Docker engine, or use: kentai demo --executor process");
        return Err(Stop::new(Exit::Unreachable, message).into());
    }
    if let Err(error) = hands.resolve(IMAGE).await {
        let message = format!("{error}; make it with images/seqtools/build, or use: kentai demo --executor process");
        return Err(Stop::new(Exit::Unreachable, message).into());
    }
    Ok(())
}

fn tools() -> anyhow::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    let missing: Vec<&str> = TOOLS.into_iter().filter(|name| !there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message =
        format!("this machine lacks {}: on Debian, apt-get install {}", missing.join(", "), missing.join(" "));
    Err(Stop::new(Exit::Unreachable, message).into())
}
