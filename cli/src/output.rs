//! What people and machines read: data on standard output, everything else on standard error.

use std::io::{IsTerminal as _, Write as _};

use kentai_workflows::diagnostic::{self, Language};
use serde::Serialize;

use crate::intake::Found;

/// How to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub json: bool,
    pub quiet: bool,
    pub language: Language,
}

impl Output {
    /// A line of data.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        // A closed pipe (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
    }

    /// The API's own object.
    pub(crate) fn json(self, value: &impl Serialize) {
        self.line(serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Something for people, unless they asked for quiet.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// Diagnostics: JSON on standard output when asked for, else drawn on standard error.
    pub(crate) fn diagnostics(self, found: &Found) {
        if self.json {
            self.json(&diagnostic::to_json(&found.diagnostics, self.language));
        } else if !found.diagnostics.is_empty() {
            let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = diagnostic::render(&found.diagnostics, &found.sources, self.language, color);
            let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
        }
    }
}

/// Columns as wide as their widest cell; the last one is left as it is.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut all = vec![head.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()];
    all.extend(rows);
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
