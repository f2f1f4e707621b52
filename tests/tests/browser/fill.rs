//! What the site of the browser tests holds: a few runs and specimens as any center has, or the same with hostile words in every field
//! that people and files may fill.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use kentai_tests::{Site, root, tool};
use serde_json::Value;

use super::Served;

const WORKFLOW: &str = "kentai: 1
workflow: line
title: { en: TITLE, ja: TITLE }
version: \"1\"
# COMMENT
params:
  note: { type: string, default: \"none\" }
steps:
  a:
    env: { NOTE: \"${{ params.note }}\" }
    outputs: { m: { path: m.json, keep: true } }
    script: |
      cat SAID
      cat SAID >&2
      printf '%s\\n' \"$NOTE\"
      case $NOTE in fail*) exit 3 ;; esac
      echo '{}' > \"$out_m\"
  release:
    after: [a]
    approve: { roles: [releaser], ask: ASK }
";

/// Sets a password, as a person would.
pub(super) fn password(site: &Site, name: &str, password: &str) -> Result<()> {
    let mut asked = site.command(["admin", "user", "password", name])?;
    let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    asked.stdin.take().context("a pipe")?.write_all(format!("{password}\n").as_bytes())?;
    let output = asked.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn workflow(served: &Served, title: &str, comment: &str, ask: &str, said: &str) -> Result<()> {
    let said = served.site.write("said.txt", said)?;
    let quoted = |text: &str| Value::from(text).to_string();
    let text = WORKFLOW
        .replace("TITLE", &quoted(title))
        .replace("COMMENT", comment)
        .replace("ASK", &quoted(ask))
        .replace("SAID", &said.display().to_string());
    served.site.write("line.yaml", &text)?;
    Ok(())
}

/// The runs of a submission that have come to their end or to a person.
fn submit(served: &Served, specimens: &[&str], note: &str) -> Result<Vec<String>> {
    served.site.write("sheet.csv", &format!("specimen\n{}\n", specimens.join("\n")))?;
    let param = format!("note={note}");
    let (exit, told, error) =
        served.site.run(["submit", "line.yaml", "--sheet", "sheet.csv", "--param", &param, "--wait", "--json"])?;
    ensure!([0, 10, 11].contains(&exit), "submit: {exit}\n{told}{error}");
    let sql = "select run_id from run order by created_us desc, run_id";
    let database = served.site.path().join("kentai.db").display().to_string();
    let runs = tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], &root())?;
    Ok(runs.lines().take(specimens.len()).map(str::to_owned).collect())
}

/// The center's tables: an institution, a program, an assay, a shipment of these barcodes.
fn center(served: &Served, name: &str, barcodes: &[String]) -> Result<()> {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    served.site.write("h.csv", &format!("code,name,role\nH1,{},sender\n", cell(name)))?;
    served.site.write("p.csv", &format!("code,name\nrare,{}\n", cell(name)))?;
    served.site.write("wgs.yaml", "workflow: line\nreads_ordered: 100\n")?;
    served.kentai(&["specimen", "import", "h.csv", "--table", "institutions"])?;
    served.kentai(&["specimen", "import", "p.csv", "--table", "programs"])?;
    served.kentai(&["workflow", "register", "line.yaml"])?;
    served.kentai(&["assay", "define", "wgs@1", "wgs.yaml"])?;
    let rows: String =
        barcodes.iter().enumerate().map(|(n, barcode)| format!("SH1,{},P{n},rare,wgs\n", cell(barcode))).collect();
    served.site.write("s.csv", &format!("shipment,barcode,pseudonym,program,assay\n{rows}"))?;
    served.kentai(&["specimen", "expect", "s.csv", "--institution", "H1"])?;
    Ok(())
}

/// As any center: runs that wait for a person, one that failed, specimens that were announced and received. A run that may be held.
pub(super) fn ordinary(served: &Served) -> Result<String> {
    workflow(served, "A line", "nothing to say", "Release it?", "hello from the tool\n")?;
    let barcodes: Vec<String> = (1..=6).map(|n| format!("KS-000{n}")).collect();
    center(served, "Hospital 1", &barcodes)?;
    served.kentai(&["specimen", "receive", "KS-0001", "--note", "thawed"])?;
    served.kentai(&["deviation", "open", "freezer 3", "--description", "door open over night"])?;
    submit(served, &["X8", "X9"], "fail")?;
    let runs = submit(served, &["X1", "X2", "X3"], "good")?;
    served.kentai(&["cancel", &runs[0], "--reason", "wrong sheet"])?;
    runs.into_iter().next_back().context("a run")
}

/// What a tool says at once, and what it says when it was written into its pipe.
pub(super) const FIRST_WORDS: &str = "the tool has begun";
pub(super) const LAST_WORDS: &str = "the tool was told to go on";

/// A run whose tool says what comes through a pipe, and that pipe.
pub(super) fn talking(served: &Served) -> Result<(String, PathBuf)> {
    let pipe = served.site.directory.path().join("words");
    tool("mkfifo", &[&pipe.to_string_lossy()], &root())?;
    let text = format!(
        "kentai: 1\nworkflow: talking\nversion: \"1\"\nsteps:\n  talk:\n    script: |\n      echo {FIRST_WORDS}\n      cat '{}'\n",
        pipe.display()
    );
    served.site.write("talking.yaml", &text)?;
    served.site.write("sheet.csv", "specimen\nT1\n")?;
    let told = served.kentai(&["submit", "talking.yaml", "--sheet", "sheet.csv"])?;
    Ok((told.lines().find(|line| line.starts_with("r01")).context("a run")?.to_owned(), pipe))
}

/// Hostile words wherever the verbs take any. How many were taken; what was refused is as good.
pub(super) fn hostile(served: &Served) -> Result<String> {
    let text = std::fs::read_to_string(root().join("tests/browser/hostile.txt"))?;
    let vectors: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    workflow(served, vectors[0], &vectors.join("\n# "), &vectors.join(" "), &text)?;
    center(served, &vectors[..6].join(" "), &["KS-0001".to_owned()])?;
    let (mut taken, mut refused) = (0, 0);
    let mut attempt = |arguments: &[&str]| -> Result<()> {
        let (exit, _, said) = served.site.run(arguments)?;
        ensure!(exit != 1, "kentai {arguments:?}: {said}");
        if exit == 0 {
            taken += 1
        } else {
            refused += 1
        }
        Ok(())
    };
    for (number, vector) in vectors.iter().enumerate() {
        // The fields take turns: each gets a part of the corpus, and all of it is somewhere.
        let about = format!("--description={vector}");
        let note = format!("--note={vector}");
        match number % 4 {
            0 => attempt(&["specimen", "receive", &note, "--", vector])?,
            1 => attempt(&["deviation", "open", &about, "--", vector])?,
            2 => {
                attempt(&["specimen", "reject", &note, "--condition=hemolyzed", "--disposition=destroy", "--", vector])?
            }
            _ => attempt(&["consent", "withdraw", &format!("--evidence={vector}"), "rare", "P0"])?,
        }
        let row = format!("\"{}\"", vector.replace('"', "\"\""));
        served
            .site
            .write("odd.csv", &format!("shipment,barcode,pseudonym,program,assay\nSH2,{row},{row},rare,wgs\n"))?;
        attempt(&["specimen", "expect", "odd.csv", "--institution", "H1"])?;
        served.site.write(
            "odd.csv",
            &format!("shipment,barcode,pseudonym,program,assay\n{row},B{number},P{number},rare,wgs\n"),
        )?;
        attempt(&["specimen", "expect", "odd.csv", "--institution", "H1"])?;
    }
    for group in vectors.chunks(10) {
        let note = group.join(" ");
        let runs = submit(served, &["X1"], &note)?;
        attempt(&["hold", &runs[0], &format!("--reason={note}")])?;
        let runs = submit(served, &["X2"], &format!("fail {note}"))?;
        attempt(&["retry", &runs[0]])?;
        let runs = submit(served, &["X3"], &format!("again {note}"))?;
        attempt(&["cancel", &runs[0], &format!("--reason={note}")])?;
        let runs = submit(served, &["X4"], &format!("once more {note}"))?;
        attempt(&["reject", &runs[0], "release", &format!("--reason={note}")])?;
    }
    attempt(&["stop-all", &vectors[..12].join(" ")])?;
    Ok(format!("{} hostile texts: {taken} requests with them were taken, {refused} refused", vectors.len()))
}
