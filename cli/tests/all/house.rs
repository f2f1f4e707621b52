//! A site in a temporary directory, and the real binary.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// Counts lines.
pub(crate) const COUNT: &str = r#"kentai: 1
workflow: count
version: "1"
specimen: { inputs: { reads: file } }
steps:
  count:
    inputs:  { reads: "${{ specimen.reads }}" }
    outputs: { lines: { path: lines.txt } }
    script: |
      echo counting "$specimen_id"
      wc -l < "$in_reads" > "$out_lines"
"#;

/// Fails with exit code 3.
pub(crate) const BROKEN: &str = r#"kentai: 1
workflow: broken
version: "1"
specimen: { inputs: { reads: file } }
steps:
  first:
    outputs: { out: { path: out.txt } }
    script: echo fine > "$out_out"
  second:
    inputs:  { x: "${{ steps.first.out }}" }
    outputs: { out: { path: out.txt } }
    script: |
      echo cannot go on >&2
      exit 3
      touch "$out_out"
"#;

/// A gate that holds, then a person, then a hand-off.
pub(crate) const GATED: &str = r#"kentai: 1
workflow: gated
version: "1"
specimen: { inputs: { reads: file } }
steps:
  measure:
    inputs:  { reads: "${{ specimen.reads }}" }
    outputs: { json: { path: q.json, format: json } }
    script: |
      echo '{"q": 0.5}' > "$out_json"
  quality:
    gate:
      read:   { q: { from: steps.measure.json, at: $.q } }
      checks: [ { metric: q, pass: ">= 0.8", missing: fail } ]
      if_fail: hold
  release:
    after: [quality]
    approve: { roles: [releaser], ask: "Release it?" }
  deliver:
    after: [release]
    handoff: { to: outbox, files: ["${{ steps.measure.json }}"] }
"#;

/// What a command did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// It ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Standard error says all of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in:\n{}", self.err);
        }
        self
    }

    /// Standard output shows all of these.
    #[track_caller]
    pub(crate) fn shows(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "`{word}` is not in:\n{}", self.out);
        }
        self
    }

    /// Standard output is one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.out, self.err))
    }
}

pub(crate) struct House {
    directory: tempfile::TempDir,
}

impl House {
    /// A directory with a sheet of two specimens; the site in it is made by the first verb that makes one.
    pub(crate) fn new() -> Self {
        let house = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        house.write("a.txt", "1\n2\n3\n");
        house.write("b.txt", "1\n");
        house.write("sheet.csv", "specimen,reads\nS1,a.txt\nS2,b.txt\n");
        house.write("one.csv", "specimen,reads\nS1,a.txt\n");
        house.write("count.yaml", COUNT);
        house.write("broken.yaml", BROKEN);
        house.write("gated.yaml", GATED);
        house
    }

    /// The same on a site that runs plain processes.
    pub(crate) fn of_processes() -> Self {
        Self::with_site("executors: [ { name: here, kind: process } ]\n")
    }

    /// The same with a site file of these lines.
    pub(crate) fn with_site(yaml: &str) -> Self {
        let house = Self::new();
        std::fs::create_dir(house.path(".kentai")).expect("made");
        house.write(".kentai/kentai.yaml", yaml);
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn command(&self) -> Command {
        command(self.directory.path())
    }

    /// `kentai WORDS…`, in the directory. Words are split at blanks.
    pub(crate) fn kentai(&self, words: &str) -> Done {
        self.run(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// `kentai WORDS…`
    pub(crate) fn run(&self, words: &[&str]) -> Done {
        let output = self.command().args(words).output().expect("the binary can be run");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The id of the only run of a specimen.
    pub(crate) fn run_of(&self, specimen: &str) -> String {
        let page = self.run(&["status", "--specimen", specimen, "--json"]).code(0).json();
        let items = page["items"].as_array().expect("a page");
        assert_eq!(items.len(), 1, "{page}");
        items[0]["id"].as_str().expect("an id").to_owned()
    }
}

/// The binary, with nothing of this machine's own settings.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kentai"));
    command.current_dir(directory).env("LANG", "C.UTF-8").env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KENTAI_")) {
        command.env_remove(name);
    }
    command
}
