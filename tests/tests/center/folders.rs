//! Run folders on a real disk: taken in once, when they are whole, whoever looks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use kentai_engine::intake::folder::Rules;
use kentai_executors::intake::{Place, pass};

use super::desk::{Center, short};

const RUN_INFO: &str = r#"<?xml version="1.0"?>
<RunInfo Version="6"><Run Id="20261101_A01234_0042_AHK7TWDSX7" Number="42"><Flowcell>HK7TWDSX7</Flowcell>
<Instrument>A01234</Instrument><Date>2026-11-01T09:00:00Z</Date><Reads>
<Read Number="1" NumCycles="151" IsIndexedRead="N"/><Read Number="2" NumCycles="8" IsIndexedRead="Y"/>
<Read Number="3" NumCycles="8" IsIndexedRead="Y"/><Read Number="4" NumCycles="151" IsIndexedRead="N"/>
</Reads><FlowcellLayout LaneCount="1" SurfaceCount="2" SwathCount="4" TileCount="78"/></Run></RunInfo>"#;
const STATUS: &str =
    r#"<?xml version="1.0"?><RunCompletionStatus><RunStatus>RunCompleted</RunStatus></RunCompletionStatus>"#;

/// Writes a run folder with everything but its markers; `samples`: name and fragments.
fn folder(place: &Path, samples: &[(&str, u64)]) -> Result<PathBuf> {
    let folder = place.join("20261101_A01234_0042_AHK7TWDSX7");
    std::fs::create_dir_all(folder.join("Data/Intensities/BaseCalls/Reports"))?;
    std::fs::write(folder.join("RunInfo.xml"), RUN_INFO)?;
    std::fs::write(folder.join("RunCompletionStatus.xml"), STATUS)?;
    let rows: String =
        samples.iter().zip(0..).map(|((name, _), index)| format!("1,{name},{}\n", INDEXES[index])).collect();
    let sheet = format!("[Header]\nFileFormatVersion,2\n\n[BCLConvert_Data]\nLane,Sample_ID,Index\n{rows}");
    std::fs::write(folder.join("SampleSheet.csv"), sheet)?;
    let counts: String = samples
        .iter()
        .zip(0..)
        .map(|((name, reads), index)| format!("1,{name},{},{reads},{reads},0,0,1.0,1.0,0.0,0.0\n", INDEXES[index]))
        .collect();
    let head = "Lane,SampleID,Index,# Reads,# Perfect Index Reads,# One Mismatch Index Reads,# Two Mismatch Index Reads,% Reads,% Perfect Index Reads,% One Mismatch Index Reads,% Two Mismatch Index Reads\n";
    std::fs::write(folder.join("Data/Intensities/BaseCalls/Reports/Demultiplex_Stats.csv"), format!("{head}{counts}"))?;
    for (number, (name, _)) in samples.iter().enumerate() {
        for mate in [1, 2] {
            let file = format!("{name}_S{}_L001_R{mate}_001.fastq.gz", number + 1);
            std::fs::write(folder.join("Data/Intensities/BaseCalls").join(file), format!("{name}{mate}"))?;
        }
    }
    Ok(folder)
}

const INDEXES: [&str; 3] = ["ACGTACGT", "TTGGAACC", "GATCGATC"];

fn mark(folder: &Path) -> Result<()> {
    for marker in ["RTAComplete.txt", "CopyComplete.txt"] {
        std::fs::write(folder.join(marker), "")?;
    }
    Ok(())
}

fn place(path: &Path) -> Arc<Place> {
    Arc::new(Place::new(path, Rules { settle_s: 0, every_cycle: false, ..Rules::default() }))
}

/// Looks again and again, as a watcher does without its pauses.
async fn look(center: &Center, name: &str, place: &Arc<Place>) -> Result<String> {
    for _ in 0..3 {
        pass(name, place, center.house.handle()).await.map_err(anyhow::Error::msg)?;
    }
    center.house.sql("select status || ' ' || json_extract(document, '$.waits') from record where kind = 'instrument_run' order by record_id")
}

#[tokio::test]
async fn a_run_folder_is_taken_in_when_it_is_whole_and_once_whoever_looks() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    let disk = tempfile::tempdir()?;
    let folder = folder(disk.path(), &[(&specimen, 297_300_000), ("stranger", 5)])?;
    let novaseq = place(disk.path());
    let said = look(&center, "novaseq", &novaseq).await?;
    ensure!(said.starts_with("seen") && said.contains("CopyComplete.txt"), "{said}");
    ensure!(center.house.sql("select count(*) from record where kind = 'lane_library'")? == "0");
    // The marker comes before the files are whole: something is still being copied.
    mark(&folder)?;
    std::fs::write(folder.join("Data/Intensities/BaseCalls/last.fastq.gz.part"), "half")?;
    let said = look(&center, "novaseq", &novaseq).await?;
    ensure!(!said.starts_with("complete"), "{said}");
    ensure!(center.stage(&order)? == "accessioned", "it was taken in half");
    std::fs::remove_file(folder.join("Data/Intensities/BaseCalls/last.fastq.gz.part"))?;
    let other = place(disk.path());
    look(&center, "novaseq", &novaseq).await?;
    look(&center, "mirror", &other).await?;
    let lanes = center.house.sql("select json_extract(document, '$.sample') || ' ' || status || ' ' || json_extract(document, '$.reads') from record where kind = 'lane_library' order by 1")?;
    ensure!(lanes.lines().count() == 2, "taken in twice, or not whole: {lanes}");
    ensure!(lanes.contains("stranger unknown_specimen 10"), "what nobody knows was dropped: {lanes}");
    ensure!(lanes.contains(&format!("{specimen} known 594600000")), "{lanes}");
    // 594.6 M of 600 M reads: a shortfall of 0.9 %.
    ensure!(center.stage(&order)? == "sequence_qc_failed", "{}", center.stage(&order)?);
    // What is different afterwards is a deviation, and nothing is taken in again.
    std::fs::write(folder.join("Data/Intensities/BaseCalls/late.txt"), "late")?;
    look(&center, "novaseq", &novaseq).await?;
    ensure!(center.house.sql("select count(*) from record where kind = 'deviation'")? == "1");
    ensure!(center.house.sql("select count(*) from record where kind = 'lane_library'")? == "2");
    Ok(())
}
