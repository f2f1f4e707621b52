//! One cell: absent, good, or wrong in words.
//!
//! Numbers and ids are read through their full-width spelling; text, paths and barcodes are kept byte for byte.

use crate::diagnostic::Diagnostic;
use crate::plan::key::is_id;
use crate::plan::words::{Wrong, did_you_mean, shown};
use crate::plan::{Consent, Priority};
use crate::sheet::place::Place;
use crate::sheet::width::narrow;
use crate::value::FileValue;

/// A cell with something in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) place: Place<'a>,
    pub(super) text: &'a str,
}

impl Cell<'_> {
    /// What `read` makes of the cell without surrounding blanks and in ASCII width; its refusal becomes a note with `code`.
    pub(super) fn read<T>(
        self,
        code: &'static str,
        notes: &mut Vec<Diagnostic>,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        // Not `trim()`: a line end inside an id is no accident of typing, and must be refused.
        let text = self.text.trim_matches([' ', '\t', '\u{3000}']);
        let narrowed = narrow(text);
        match read(narrowed.as_deref().unwrap_or(text)) {
            Ok(value) => {
                if let Some(narrowed) = narrowed {
                    notes.push(self.place.warning("S116", &full_width(text, &narrowed)));
                }
                Some(value)
            }
            Err(wrong) => {
                notes.push(self.place.error(code, &wrong));
                None
            }
        }
    }

    /// What `read` makes of the cell as it is.
    pub(super) fn read_exact<T>(
        self,
        code: &'static str,
        notes: &mut Vec<Diagnostic>,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        read(self.text).map_err(|wrong| notes.push(self.place.error(code, &wrong))).ok()
    }
}

fn full_width(written: &str, read: &str) -> Wrong {
    let (written, read) = (shown(written), shown(read));
    Wrong::new(
        format!("full-width characters: `{written}` was read as `{read}`"),
        format!("全角文字を半角に直して読みました: `{written}` → `{read}`"),
    )
}

/// A specimen's or an item's id.
pub(super) fn id(text: &str) -> Result<String, Wrong> {
    if is_id(text) {
        return Ok(text.to_owned());
    }
    let found = shown(text);
    Err(Wrong::new(
        format!("`{found}` is not an id: letters, digits, `.`, `_`, `-`, at most 64, first a letter or digit"),
        format!("`{found}` は ID に使えません。英数字と `.` `_` `-` で 64 文字以内、先頭は英数字にしてください"),
    ))
}

/// A pseudonym. The rule of ids keeps out what is most often written here by mistake: the person's name.
pub(super) fn participant(text: &str) -> Result<String, Wrong> {
    id(text).map_err(|wrong| {
        Wrong::new(
            format!("{}; write a pseudonym, never a name", wrong.en),
            format!("{}。氏名ではなく仮名 ID を書いてください", wrong.ja),
        )
    })
}

/// `RECORD` or `RECORD:scope;scope`, such as `C-0012:sequencing;research_domestic`; `+`, `,`, `|` and blanks part scopes as well.
pub(super) fn consent(text: &str) -> Result<Consent, Wrong> {
    let mut words = text.split([':', ';', '+', ',', '|', ' ']).map(str::trim).filter(|word| !word.is_empty());
    let record = words.next().filter(|record| is_id(record)).ok_or_else(|| not_consent(text))?;
    let scopes: Vec<String> = words.map(str::to_owned).collect();
    if !scopes.iter().all(|scope| is_scope(scope)) {
        return Err(not_consent(text));
    }
    Ok(Consent { record: record.to_owned(), scopes })
}

fn is_scope(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn not_consent(text: &str) -> Wrong {
    let found = shown(text);
    Wrong::new(
        format!("`{found}` is not a consent; write RECORD:scope;scope, such as C-0012:sequencing;research_domestic"),
        format!(
            "`{found}` は同意の書式ではありません。「記録 ID:範囲;範囲」（例: C-0012:sequencing;research_domestic）と書いてください"
        ),
    )
}

/// `routine`, `urgent` or `stat`.
pub(super) fn priority(text: &str) -> Result<Priority, Wrong> {
    match text {
        "routine" => Ok(Priority::Routine),
        "urgent" => Ok(Priority::Urgent),
        "stat" => Ok(Priority::Stat),
        other => {
            let (en, ja) = did_you_mean(other, ["routine", "urgent", "stat"]);
            let found = shown(other);
            Err(Wrong::new(
                format!("`{found}` is not one of routine, urgent, stat{en}"),
                format!("`{found}` は routine, urgent, stat のどれでもありません{ja}"),
            ))
        }
    }
}

/// Lowercase hex of `digits` digits.
pub(super) fn checksum(text: &str, digits: usize) -> Result<String, Wrong> {
    if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let found = shown(text);
    Err(Wrong::new(
        format!("expected {digits} hexadecimal digits, found `{found}`"),
        format!("{digits} 桁の 16 進数が必要です。`{found}` とあります"),
    ))
}

/// The file that `text` names, seen from `directory`.
pub(super) fn file(text: &str, directory: &str) -> Result<FileValue, Wrong> {
    let text = text.trim_matches([' ', '\t', '\u{3000}']);
    let found = shown(text);
    if text.chars().any(char::is_control) {
        return Err(Wrong::new(
            format!("the path `{found}` contains a control character"),
            format!("パス `{found}` に制御文字が含まれています"),
        ));
    }
    if text.contains("://") {
        return Err(Wrong::new(
            format!("`{found}` is an address; only files on this machine can be used"),
            format!("`{found}` は URL です。このマシン上のファイルを指定してください"),
        ));
    }
    if text.contains('\\') {
        return Err(Wrong::new(
            format!("`{found}` contains a backslash; write `/` between directories"),
            format!("`{found}` に `\\` が含まれています。区切りには `/` を使ってください"),
        ));
    }
    let name = text.rsplit('/').next().unwrap_or("");
    if matches!(name, "" | "." | "..") {
        return Err(Wrong::new(
            format!("`{found}` names a directory, not a file"),
            format!("`{found}` はファイルではなくディレクトリです"),
        ));
    }
    let path = Some(absolute(text, directory));
    Ok(FileValue { name: name.to_owned(), path, sha256: None, size: None, bundle: None, dir: false })
}

/// `text` beneath `directory` unless it is absolute; `.` and doubled `/` go, `..` stays, because only a disk knows where it leads.
fn absolute(text: &str, directory: &str) -> String {
    let joined = if text.starts_with('/') { text.to_owned() } else { format!("{directory}/{text}") };
    let parts: Vec<&str> = joined.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_is_a_record_with_scopes() {
        let check = |text: &str, record: &str, scopes: &[&str]| {
            let consent = consent(text).expect(text);
            assert_eq!(
                (consent.record.as_str(), consent.scopes),
                (record, scopes.iter().map(|s| (*s).to_owned()).collect())
            );
        };
        check("C-0012:sequencing;research_domestic", "C-0012", &["sequencing", "research_domestic"]);
        check("C-0012 sequencing", "C-0012", &["sequencing"]);
        check("C-0012:sequencing+industry", "C-0012", &["sequencing", "industry"]);
        check("C-0012", "C-0012", &[]);
        for bad in [":", "$(x):sequencing", "C-1:Sequencing", "C-1:../x"] {
            assert!(consent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_seen_from_the_sheets_directory() {
        let check = |text: &str, expected: &str| {
            assert_eq!(file(text, "/data/sheets").expect(text).path.as_deref(), Some(expected))
        };
        check("r1.fastq.gz", "/data/sheets/r1.fastq.gz");
        check("./a//r1.fastq.gz", "/data/sheets/a/r1.fastq.gz");
        check("../r1.fastq.gz", "/data/sheets/../r1.fastq.gz");
        check("/x/r1.fastq.gz", "/x/r1.fastq.gz");
        check("; rm -rf", "/data/sheets/; rm -rf");
        for bad in ["a/", "..", "s3://b/x", "a\nb", "C:\\x"] {
            assert!(file(bad, "/d").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_not_a_pseudonym() {
        assert!(participant("P-0007").is_ok());
        assert!(participant("山田太郎").is_err_and(|wrong| wrong.ja.contains("仮名")));
    }
}
