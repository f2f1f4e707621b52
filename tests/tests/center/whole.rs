//! The whole story of one specimen, with the program as people run it, a run folder on disk, real reads in containers, three people of
//! this machine, and an export that is verified without the site.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::audit::verify::verify;
use kentai_tests::{Site, root, tool, tool_image, without_docker};

const PEOPLE: &str = "people:
  - { user: \"0\", name: ops-01, roles: [operator, withdrawal_officer, auditor, admin] }
  - { user: nobody, name: rev-01, roles: [reviewer, withdrawal_officer] }
  - { user: daemon, name: rel-01, roles: [releaser] }
";
const LANES: [u32; 5] = [1, 2, 4, 7, 8];

fn data() -> PathBuf {
    root().join("workflows/library/germline_wgs/tiny-normal")
}

fn fastq(lane: u32, mate: u32) -> PathBuf {
    data().join(format!("tiny_n_L{lane:03}_R{mate}_xxx.fastq.gz"))
}

/// Fragments of a lane, counted by other programs.
fn fragments(lane: u32) -> Result<u64> {
    let file = fastq(lane, 1).to_string_lossy().into_owned();
    let lines: u64 = tool("sh", &["-c", "zcat \"$0\" | wc -l", &file], Path::new("/"))?.trim().parse()?;
    Ok(lines / 4)
}

/// Reads that the first folder brings, and what is ordered: a little more, 0.9 %.
fn reads() -> Result<(u64, u64)> {
    let found: u64 = 2 * LANES[..4].iter().map(|lane| fragments(*lane)).sum::<Result<u64>>()?;
    Ok((found, (found as f64 / 0.991).round() as u64))
}

struct Story {
    site: Site,
    engine: Option<Child>,
}

impl Drop for Story {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let _ = engine.kill();
            let _ = engine.wait();
        }
    }
}

impl Story {
    /// Runs a verb as root; it must end with 0.
    fn kentai(&self, arguments: &[&str]) -> Result<String> {
        let (code, told, error) = self.site.run(arguments)?;
        ensure!(code == 0, "kentai {}: {code}\n{told}{error}", arguments.join(" "));
        Ok(told)
    }

    /// The same as another user of this machine.
    fn as_user(&self, user: &str, arguments: &[&str]) -> Result<String> {
        let binary = self.site.directory.path().join("kentai").to_string_lossy().into_owned();
        let place = self.site.path().to_string_lossy().into_owned();
        let mut all = vec!["--reuid", user, "--regid=nogroup", "--clear-groups", &binary, "--site", &place];
        all.extend(arguments);
        tool("setpriv", &all, self.site.directory.path())
    }

    fn sql(&self, sql: &str) -> Result<String> {
        let database = self.site.path().join("kentai.db").to_string_lossy().into_owned();
        Ok(tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], Path::new("/"))?.trim().to_owned())
    }

    fn stage(&self) -> Result<String> {
        self.sql("select stage from order_line")
    }

    /// Waits for a stage; each look is a program's start, which is pause enough.
    fn until(&self, stage: &str) -> Result<()> {
        let began = std::time::Instant::now();
        while self.stage()? != stage {
            if began.elapsed().as_secs() > 300 {
                let why = self.site.run(["status"])?.1;
                bail!(
                    "it is {} and not {stage}:\n{why}\n{}",
                    self.stage()?,
                    self.sql("select document from order_line")?
                );
            }
        }
        Ok(())
    }

    fn serve(&mut self) -> Result<()> {
        let log = fs::File::create(self.site.directory.path().join("engine.log"))?;
        let mut command = self.site.command(["serve"])?;
        self.engine = Some(command.stdout(Stdio::null()).stderr(log).spawn()?);
        while !self.site.path().join("run/kentai.sock").exists() {
            ensure!(
                self.engine.as_mut().is_some_and(|engine| matches!(engine.try_wait(), Ok(None))),
                "the engine ended"
            );
        }
        // Other people of this machine may speak to it; who they are, the socket's peer says.
        tool("chmod", &["-R", "a+rwX", &self.site.directory.path().to_string_lossy()], Path::new("/"))?;
        tool("chmod", &["600", &self.site.path().join("secrets/audit.key").to_string_lossy()], Path::new("/"))?;
        fs::copy(kentai_tests::kentai()?, self.site.directory.path().join("kentai"))?;
        Ok(())
    }

    /// A run folder with these lanes of the specimen, its markers last.
    fn folder(&self, number: u32, lanes: &[u32], sample: &str) -> Result<()> {
        let name = format!("20261101_A01234_{number:04}_AHK7TW{number:04}");
        let folder = self.site.directory.path().join("novaseq").join(&name);
        fs::create_dir_all(folder.join("fastq/Reports"))?;
        let info = format!(
            "<?xml version=\"1.0\"?><RunInfo Version=\"6\"><Run Id=\"{name}\" Number=\"{number}\"><Flowcell>HK7TW{number:04}</Flowcell><Instrument>A01234</Instrument><Date>2026-11-01T09:00:00Z</Date><Reads><Read Number=\"1\" NumCycles=\"151\" IsIndexedRead=\"N\"/><Read Number=\"2\" NumCycles=\"8\" IsIndexedRead=\"Y\"/><Read Number=\"3\" NumCycles=\"8\" IsIndexedRead=\"Y\"/><Read Number=\"4\" NumCycles=\"151\" IsIndexedRead=\"N\"/></Reads><FlowcellLayout LaneCount=\"8\" SurfaceCount=\"2\" SwathCount=\"4\" TileCount=\"78\"/></Run></RunInfo>"
        );
        fs::write(folder.join("RunInfo.xml"), info)?;
        let status =
            "<?xml version=\"1.0\"?><RunCompletionStatus><RunStatus>RunCompleted</RunStatus></RunCompletionStatus>";
        fs::write(folder.join("RunCompletionStatus.xml"), status)?;
        let mut sheet = "[Header]\nFileFormatVersion,2\n\n[BCLConvert_Data]\nLane,Sample_ID,Index\n".to_owned();
        let mut counts = "Lane,SampleID,Index,# Reads,# Perfect Index Reads,# One Mismatch Index Reads,# Two Mismatch Index Reads,% Reads,% Perfect Index Reads,% One Mismatch Index Reads,% Two Mismatch Index Reads\n".to_owned();
        for lane in lanes {
            sheet += &format!("{lane},{sample},ACGTACGT\n");
            let reads = fragments(*lane)?;
            counts += &format!("{lane},{sample},ACGTACGT,{reads},{reads},0,0,1.0,1.0,0.0,0.0\n");
            for mate in [1, 2] {
                fs::copy(
                    fastq(*lane, mate),
                    folder.join(format!("fastq/{sample}_S1_L{lane:03}_R{mate}_001.fastq.gz")),
                )?;
            }
        }
        fs::write(folder.join("SampleSheet.csv"), sheet)?;
        fs::write(folder.join("fastq/Reports/Demultiplex_Stats.csv"), counts)?;
        for marker in ["RTAComplete.txt", "CopyComplete.txt"] {
            fs::write(folder.join(marker), "")?;
        }
        Ok(())
    }
}

/// A site with its center, its workflow watching a place, and its engine.
fn open() -> Result<Story> {
    tool_image()?;
    let site = Site::new("story", &format!("places:\n  novaseq: {{ path: ../novaseq }}\n{PEOPLE}"))?;
    fs::create_dir(site.directory.path().join("novaseq"))?;
    let mut story = Story { site, engine: None };
    let fasta = data().join("reference.fa.gz").to_string_lossy().into_owned();
    story.kentai(&["reference", "add", "tiny@1", &fasta, "--executor", "docker", "--quiet"])?;
    let text = fs::read_to_string(root().join("workflows/library/germline_wgs/germline_wgs.yaml"))?;
    let triggers = "\ntriggers:\n  - run_folder: { root: novaseq, ready_when: [CopyComplete.txt, RTAComplete.txt], settle: 1s, every: 1s }\n";
    story.site.write("germline_wgs.yaml", &(text + triggers))?;
    let (_, ordered) = reads()?;
    story.site.write(
        "wgs.yaml",
        &format!("workflow: germline_wgs\nreads_ordered: {ordered}\nparams: {{ reference: tiny@1, min_q30: \"0.75\", min_depth: \"0.6\" }}\n"),
    )?;
    story.serve()?;
    story.kentai(&["workflow", "lock", "germline_wgs.yaml", "--executor", "docker"])?;
    story.kentai(&["workflow", "register", "germline_wgs.yaml"])?;
    story.site.write("h.csv", "code,name,role\nH1,Hospital 1,sender\n")?;
    story.site.write("p.csv", "code,name\nrare,Rare diseases\n")?;
    story.kentai(&["specimen", "import", "h.csv", "--table", "institutions"])?;
    story.kentai(&["specimen", "import", "p.csv", "--table", "programs"])?;
    story.kentai(&["assay", "define", "wgs@1", "wgs.yaml"])?;
    Ok(story)
}

#[test]
fn the_whole_story_of_one_specimen() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let story = open()?;
    let (specimen, order) = arrives(&story)?;
    falls_short_and_is_topped_up(&story, &specimen, &order)?;
    is_analyzed_and_released(&story, &specimen, &order)?;
    is_withdrawn(&story)?;
    is_in_the_chain(&story)
}

fn arrives(story: &Story) -> Result<(String, String)> {
    story
        .site
        .write("s.csv", "shipment,barcode,pseudonym,program,assay,sent\nSH-1,TN-0001,P-1,rare,wgs,2026-11-01\n")?;
    story.kentai(&["specimen", "expect", "s.csv", "--institution", "H1"])?;
    let specimen = story.sql("select specimen_id from order_line")?;
    let order = story.sql("select order_line_id from order_line")?;
    let why = story.kentai(&["why", &order])?;
    ensure!(why.contains("owner: institution"), "{why}");
    story.kentai(&["specimen", "receive", "ＴＮ－０００１", "--institution", "H1"])?;
    let (code, _, told) = story.site.run(["specimen", "accession", &specimen])?;
    ensure!(code == 6 && told.contains("no consent is recorded for P-1"), "{code}: {told}");
    story.kentai(&[
        "consent",
        "record",
        "rare",
        "P-1",
        "--document",
        "form",
        "--version",
        "3",
        "--scope",
        "sequencing",
        "--scope",
        "research_domestic",
    ])?;
    story.kentai(&["specimen", "accession", &specimen])?;
    ensure!(story.stage()? == "accessioned");
    Ok((specimen, order))
}

fn falls_short_and_is_topped_up(story: &Story, specimen: &str, order: &str) -> Result<()> {
    story.folder(42, &LANES[..4], specimen)?;
    story.until("sequence_qc_failed")?;
    let why = story.kentai(&["why", order])?;
    let (found, ordered) = reads()?;
    let exact = format!(
        "order line {order} is sequence_qc_failed: waits for reads: {found} of {ordered} ordered (0.9 % short); owner: lab; \
         offered: top-up, release with reason, re-prep, re-extract, new material, give up"
    );
    ensure!(why.trim() == exact, "{why}");
    story.as_user("nobody", &["qc", "decide", order, "--verdict", "top_up", "--reason", "0.9 % short"])?;
    ensure!(story.stage()? == "awaiting_top_up");
    story.folder(43, &LANES[4..], specimen)?;
    story.until("analysis_qc_failed")
}

fn is_analyzed_and_released(story: &Story, specimen: &str, order: &str) -> Result<()> {
    let run = story.sql("select run_id from order_line")?;
    let why = story.kentai(&["why", order])?;
    ensure!(why.contains("depth") && why.contains("0.6"), "{why}");
    story.as_user(
        "nobody",
        &["qc", "decide", &run, "coverage_ok", "--verdict", "release", "--reason", "small reference"],
    )?;
    story.until("release_review")?;
    let refused = story.as_user("nobody", &["approve", &run, "release", "--reason", "mine"]);
    ensure!(refused.is_err(), "the reviewer released what the reviewer decided");
    story.as_user("daemon", &["approve", &run, "release", "--reason", "seen"])?;
    story.until("delivered")?;
    let packages = story.site.path().join("deliveries");
    let package = fs::read_dir(&packages)?.flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    let package = package.context("a package")?;
    for program in ["sha256sum", "md5sum"] {
        let manifest = format!("manifest-{}.txt", program.trim_end_matches("sum"));
        tool(program, &["--check", "--strict", &manifest], &package)?;
    }
    let calls = package.join(format!("data/{specimen}.vcf.gz")).to_string_lossy().into_owned();
    let snvs = tool("bcftools", &["view", "-H", "-v", "snps", &calls], Path::new("/"))?;
    ensure!(snvs.lines().count() == 34, "{} SNVs", snvs.lines().count());
    let sample = tool("bcftools", &["query", "-l", &calls], Path::new("/"))?;
    ensure!(sample.trim() == specimen, "the file says that it is of {sample}");
    kentai_tests::invariants::check(&story.site.path())
}

fn is_withdrawn(story: &Story) -> Result<()> {
    let made = story.sql("select distinct made.sha256 from made join run using (run_id) join artifact using (sha256) where run.order_line_id <> '' and artifact.dir = 0")?;
    let began = std::time::Instant::now();
    story.kentai(&["consent", "withdraw", "rare", "P-1", "--evidence", "letter 7"])?;
    while story.sql("select status from record where kind = 'case'")? != "sealed" {
        ensure!(began.elapsed().as_secs() < 60, "the case is not sealed");
    }
    eprintln!("closed {:.2} s after the request was made", began.elapsed().as_secs_f64());
    for sha256 in made.lines() {
        let path = story.site.path().join("artifacts/sha256").join(&sha256[..2]).join(sha256);
        ensure!(!path.exists(), "{sha256} still has its name");
    }
    let case = story.sql("select record_id from record where kind = 'case'")?;
    let shown = story.kentai(&["consent", "case", &case, "--json"])?;
    for thing in ["artifact", "delivery", "specimen", "lane", "run_folder", "backup"] {
        ensure!(shown.contains(thing), "no {thing} in\n{shown}");
    }
    for item in story.sql("select record_id from record where kind = 'case_item'")?.lines() {
        story.kentai(&["consent", "decide", item, "destroy", "--reason", "as asked"])?;
        story.as_user("nobody", &["consent", "confirm", item])?;
    }
    while story.sql("select count(*) from record where kind = 'case_item' and status <> 'done'")? != "0" {}
    for notice in story.sql("select record_id from record where kind = 'notice'")?.lines() {
        story.kentai(&["consent", "answered", notice, "--receipt", "mail 12"])?;
    }
    story.kentai(&["consent", "close", &case])?;
    let certified = story.sql(
        "select count(*) from record where kind = 'case_item' and json_extract(document, '$.certificate.sha256') <> ''",
    )?;
    ensure!(certified.parse::<usize>()? >= made.lines().count(), "{certified} certificates");
    Ok(())
}

fn is_in_the_chain(story: &Story) -> Result<()> {
    let export = story.site.directory.path().join("audit.jsonl");
    let file = export.to_string_lossy().into_owned();
    story.kentai(&["admin", "audit", "export", &file])?;
    story.kentai(&["admin", "audit", "verify", &file])?;
    let good = fs::read(&export)?;
    let all: usize = story.sql("select count(*) from event")?.parse()?;
    let exported = good.split(|byte| *byte == b'\n').count();
    ensure!(exported + 8 > all, "{exported} lines of {all} events");
    // One byte of an event in the middle.
    let mut bad = good.clone();
    let place = good.len() / 2;
    bad[place] ^= 1;
    fs::write(&export, bad)?;
    let (code, _, told) = story.site.run(["admin", "audit", "verify", &file])?;
    ensure!(code == 3, "a changed export ended with {code}: {told}");
    every_byte_counts(story, good)
}

/// Ten thousand exports that differ from the good one in one byte anywhere: each is refused, with the site's key and without it.
fn every_byte_counts(story: &Story, mut bytes: Vec<u8>) -> Result<()> {
    let key = Public::parse(fs::read_to_string(story.site.path().join("secrets/audit.pub"))?.trim());
    let key = key.context("the site's public key")?;
    ensure!(verify(&bytes[..], Some(&key)).is_ok(), "the good one is refused");
    // Knuth's generator: the same places each time.
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0)
    };
    for number in 0..10_000 {
        let (place, flip) = (next() % bytes.len(), u8::try_from(next() % 255 + 1)?);
        bytes[place] ^= flip;
        let found = verify(&bytes[..], (number % 2 == 0).then_some(&key));
        ensure!(found.is_err(), "byte {place} ^ {flip} was not found");
        bytes[place] ^= flip;
    }
    eprintln!("10,000 mutations of an export of {} bytes, all found", bytes.len());
    Ok(())
}
