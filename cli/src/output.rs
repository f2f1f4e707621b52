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

    /// Bytes as they are; false when nobody reads any more.
    pub(crate) fn bytes(self, bytes: &[u8]) -> bool {
        let mut out = std::io::stdout();
        out.write_all(bytes).and_then(|()| out.flush()).is_ok()
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
pub(crate) fn table<H: AsRef<str>>(head: &[H], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut all = vec![head.iter().map(|name| name.as_ref().to_owned()).collect::<Vec<_>>()];
    all.extend(rows.map(|row| row.iter().map(|cell| plain(cell)).collect()));
    let widest =
        |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Text from outside on one line and without control characters: a barcode must not steer somebody's terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// At most so many characters, for lists; the whole text is one command further.
pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Columns on a terminal: East Asian characters take two (Unicode Standard Annex 11, wide and full-width).
fn width(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
            | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x2_0000..=0x3_fffd)
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = [["検体", "a"], ["S1", "b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&["id", "x"], rows.into_iter()), "id    x\n検体  a\nS1    b");
    }

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        let rows = [vec!["x\u{1b}]0;owned\u{7}".to_owned()]].into_iter();
        assert!(!table(&["barcode"], rows).contains('\u{1b}'));
    }

    #[test]
    fn a_long_text_says_that_it_goes_on() {
        assert_eq!(shortened("ああああ", 2), "ああ…");
        assert_eq!(shortened("ab", 2), "ab");
    }
}
