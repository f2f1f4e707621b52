//! The chain over every event, recomputed by Python from the database alone: another language, another hash, the same chain.

use anyhow::{Result, ensure};
use kentai_tests::tool;

use super::desk::{Center, short};

const RECOMPUTE: &str = r#"
import hashlib, sqlite3, struct, sys
rows = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(
    "select seq, stream, n, at_us, kind, subject, actor, role, body, hash from event order by seq").fetchall()
previous = bytes(32)
for place, (seq, stream, n, at_us, kind, subject, actor, role, body, found) in enumerate(rows, 1):
    if seq != place: sys.exit(f"event {place} is missing")
    link = hashlib.sha256(b"kentai audit link 1\n" + previous)
    for number in (seq, n, at_us): link.update(struct.pack(">q", number))
    for text in (stream, kind, subject, actor, role, body):
        link.update(struct.pack(">Q", len(text.encode()))); link.update(text.encode())
    previous = link.digest()
    if previous.hex() != found: sys.exit(f"event {seq} does not fit")
print(len(rows))
"#;

fn recompute(center: &Center) -> Result<String> {
    let database = center.house.site().join("kentai.db").to_string_lossy().into_owned();
    Ok(tool("python3", &["-c", RECOMPUTE, &database], center.house.site().as_path())?.trim().to_owned())
}

#[tokio::test]
async fn every_event_is_in_the_chain_and_one_that_was_changed_breaks_it() -> Result<()> {
    let mut center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "analysis_failed").await?;
    center.house.stop().await?;
    let events = recompute(&center)?;
    ensure!(events == center.house.sql("select count(*) from event")?, "{events} events");
    // The engine goes on from where the chain is.
    center.house.start().await?;
    center.bring("T2", "P2").await?;
    center.house.stop().await?;
    ensure!(recompute(&center)? == center.house.sql("select count(*) from event")?);
    center.house.sql("update event set actor = 'nobody' where seq = 9")?;
    let broken = recompute(&center).expect_err("a changed event was not found").to_string();
    ensure!(broken.contains("event 9 does not fit"), "{broken}");
    Ok(())
}
