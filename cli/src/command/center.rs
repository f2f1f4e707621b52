//! One request to the center, through the server or without it, and what came of it; tables as they are brought.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::specimen::import::{Problem, Row, Table};
use kentai_workflows::diagnostic::Language;

use crate::access::Door;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, plain};
use crate::site::Site;

/// Asks it and shows the answer.
pub(crate) async fn ask(site: &Site, output: Output, request: Request) -> anyhow::Result<Exit> {
    let answer = answer(site, request).await?;
    Ok(show(&answer, Path::new(""), output))
}

async fn answer(site: &Site, request: Request) -> anyhow::Result<Answer> {
    let door = Door::open(site).await?;
    let answer = door.center(request).await;
    door.close().await?;
    answer
}

fn show(answer: &Answer, file: &Path, output: Output) -> Exit {
    let exit = if answer.problems.is_empty() { Exit::Done } else { Exit::CheckFailed };
    if output.json {
        output.json(answer);
        return exit;
    }
    for problem in &answer.problems {
        let text = if output.language == Language::Ja { &problem.ja } else { &problem.en };
        let Problem { row, column, code, .. } = problem;
        output.line(plain(&format!("{}:{row}: {column}: {text} ({code})", file.display())));
    }
    if exit == Exit::Done {
        output.line(plain(&answer.said));
    } else {
        output.say(plain(&answer.said));
    }
    for note in &answer.notes {
        output.say(plain(note));
    }
    exit
}

/// A table to be taken in.
pub(crate) struct Import {
    pub(crate) file: PathBuf,
    pub(crate) table: Table,
    pub(crate) institution: String,
    pub(crate) dry_run: bool,
}

impl Import {
    /// Takes it in: all of it, or nothing and every problem.
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let bytes =
            std::fs::read(&self.file).map_err(|source| intake::Error::Read { path: self.file.clone(), source })?;
        let (rows, problems) = read(&bytes)
            .map_err(|reason| Stop::new(Exit::CheckFailed, format!("{}: {reason}", self.file.display())))?;
        let source = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A table with holes is asked about all the same: people see everything that is wrong at once.
        let dry_run = self.dry_run || !problems.is_empty();
        let request = Request::Import { table: self.table, rows, dry_run, source, institution: self.institution };
        let mut answer = answer(site, request).await?;
        if !problems.is_empty() {
            answer.problems.extend(problems);
            answer.problems.sort_by_key(|problem| problem.row);
            answer.said = format!("{}: {} cell(s) are wrong; nothing was taken", self.table, answer.problems.len());
            answer.changed.clear();
        }
        let exit = show(&answer, &self.file, output);
        if exit == Exit::Done && answer.dry_run {
            output.say("nothing was taken: this only says what would happen");
        }
        Ok(exit)
    }
}

/// Rows of a CSV file with a header, and rows that do not fit it.
fn read(bytes: &[u8]) -> Result<(Vec<Row>, Vec<Problem>), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8: save the table as CSV (UTF-8)")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for name in &names {
        if !seen.insert(name) {
            problems.push(problem(1, name, "I008", "this column is there twice", "この列が2回あります"));
        }
    }
    let mut rows = Vec::new();
    for (record, number) in reader.records().zip(2..) {
        let record = record.map_err(|error| error.to_string())?;
        if record.len() != names.len() {
            let (found, wanted) = (record.len(), names.len());
            let en = format!("the row has {found} cells, the header {wanted}");
            problems.push(problem(number, "", "I009", &en, &format!("この行は {found} 列、見出しは {wanted} 列です")));
        }
        rows.push(names.iter().cloned().zip(record.iter().map(str::to_owned)).collect());
    }
    Ok((rows, problems))
}

fn problem(row: usize, column: &str, code: &str, en: &str, ja: &str) -> Problem {
    Problem { row, column: column.into(), code: code.into(), en: en.into(), ja: ja.into() }
}

/// A table's name.
pub(crate) fn table(text: &str) -> Result<Table, String> {
    let known: Vec<&str> = Table::ALL.iter().map(|table| table.word()).collect();
    Table::parse(text).ok_or_else(|| format!("one of {}", known.join(", ")))
}

/// `yes` or `no`.
pub(crate) fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".into()),
    }
}

/// A date or a moment.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    kentai_engine::specimen::import::moment(text)
        .ok_or_else(|| "a date (2026-11-25) or a moment (2026-11-25T09:30:00+09:00)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_whatever_program_wrote_it() {
        let (rows, problems) = read("\u{feff}code, name\r\nH1,\"One, Ltd\"\r\n".as_bytes()).expect("a table");
        assert!(problems.is_empty());
        assert_eq!((rows[0]["code"].as_str(), rows[0]["name"].as_str()), ("H1", "One, Ltd"));
    }

    #[test]
    fn rows_that_do_not_fit_the_header_are_named() {
        let (rows, problems) = read(b"a,b,a\n1,2\n1,2,3\n1,2,3,4\n").expect("a table");
        let found: Vec<_> = problems.iter().map(|one| (one.row, one.code.as_str())).collect();
        assert_eq!((rows.len(), found), (3, vec![(1, "I008"), (2, "I009"), (4, "I009")]));
    }

    #[test]
    fn another_encoding_is_refused_with_its_line() {
        assert!(read(b"a\n1\n\x8c\x9f\n").is_err_and(|reason| reason.contains("line 3")));
    }
}
