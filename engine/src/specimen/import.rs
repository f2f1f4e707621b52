//! Tables that people bring: every row error at once, by row and column, and nothing half-taken. Pure: rows in, typed rows or problems
//! out; what is already there is the caller's business.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::state::words;

/// One row as it was read: column → text.
pub type Row = BTreeMap<String, String>;

words!(
    /// What a table is about.
    Table {
        /// `code, name, role, contact`
        Institutions = "institutions",
        /// `code, name, consent_documents`
        Programs = "programs",
        /// `shipment, tracking, sent, barcode, pseudonym, program, assay, specimen_type, amount, collected, requisition, priority, replaces, sex, family, family_role`
        Shipment = "shipment",
        /// `pseudonym, program, document, version, scopes, status, effective, expires, evidence, duo`
        Consents = "consents",
        /// `library, barcode, kit, index, prepared_by`
        Libraries = "libraries",
        /// `instrument_run, lane, sample, reads, counts, use`
        Lanes = "lanes",
    }
);

/// Why a cell is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RowProblem")]
pub struct Problem {
    /// Row of the table, the header being row 1.
    pub row: usize,
    /// Column.
    pub column: String,
    /// `I001` …
    pub code: String,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

/// Reads cells of one row and gathers what is wrong with them.
#[derive(Debug)]
pub struct Cells<'a> {
    number: usize,
    row: &'a Row,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Cells<'a> {
    /// The row numbered `number` (the header is 1).
    pub fn new(number: usize, row: &'a Row, problems: &'a mut Vec<Problem>) -> Self {
        Self { number, row, problems }
    }

    /// The cell as it was written; empty when there is none.
    #[must_use]
    pub fn raw(&self, column: &str) -> &'a str {
        self.row.get(column).map_or("", String::as_str)
    }

    /// The cell without the spaces around it.
    #[must_use]
    pub fn text(&self, column: &str) -> String {
        self.raw(column).trim().to_owned()
    }

    /// A cell that must not be empty.
    pub fn needed(&mut self, column: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            self.wrong(column, "I001", "it is empty", "空です");
        }
        text
    }

    /// A number.
    pub fn number(&mut self, column: &str) -> Option<u64> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let found = text.replace([',', '_'], "").parse().ok();
        if found.is_none() {
            self.wrong(
                column,
                "I002",
                &format!("`{text}` is not a whole number"),
                &format!("「{text}」は整数ではありません"),
            );
        }
        found
    }

    /// A moment (RFC 3339) or a date (midnight UTC), microseconds.
    pub fn moment(&mut self, column: &str) -> Option<Micros> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let found = moment(&text);
        if found.is_none() {
            let en = format!("`{text}` is neither a date (2026-11-25) nor a moment (2026-11-25T09:30:00+09:00)");
            let ja = format!("「{text}」は日付(2026-11-25)でも時刻(2026-11-25T09:30:00+09:00)でもありません");
            self.wrong(column, "I003", &en, &ja);
        }
        found
    }

    /// One of some words.
    pub fn word(&mut self, column: &str, words: &[&str], otherwise: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            return otherwise.to_owned();
        }
        if !words.contains(&text.as_str()) {
            let list = words.join(", ");
            self.wrong(
                column,
                "I004",
                &format!("`{text}` is none of: {list}"),
                &format!("「{text}」は次のどれでもありません: {list}"),
            );
        }
        text
    }

    /// Words with spaces, commas or semicolons between them.
    #[must_use]
    pub fn list(&self, column: &str) -> Vec<String> {
        self.raw(column).split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Says what is wrong with a cell.
    pub fn wrong(&mut self, column: &str, code: &str, en: &str, ja: &str) {
        self.problems.push(Problem {
            row: self.number,
            column: column.to_owned(),
            code: code.to_owned(),
            en: en.to_owned(),
            ja: ja.to_owned(),
        });
    }
}

/// A moment (RFC 3339) or a date (midnight UTC), microseconds.
#[must_use]
pub fn moment(text: &str) -> Option<Micros> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// Columns that a table may have; the first ones are needed.
#[must_use]
pub fn columns(table: Table) -> (&'static [&'static str], &'static [&'static str]) {
    match table {
        Table::Institutions => (&["code", "name", "role"], &["contact"]),
        Table::Programs => (&["code", "name"], &["consent_documents"]),
        Table::Shipment => (
            &["shipment", "barcode", "pseudonym", "program"],
            &[
                "assay",
                "tracking",
                "sent",
                "specimen_type",
                "amount",
                "collected",
                "requisition",
                "priority",
                "replaces",
                "sex",
                "disease",
                "family",
                "family_role",
                "sprec",
            ],
        ),
        Table::Consents => (
            &["pseudonym", "program", "document", "version", "scopes"],
            &["status", "effective", "expires", "evidence", "duo"],
        ),
        Table::Libraries => (&["library", "barcode"], &["kit", "index", "prepared_by"]),
        Table::Lanes => (&["instrument_run", "lane", "sample", "reads"], &["counts", "use", "instrument", "flow_cell"]),
    }
}

/// Unknown and missing columns, said once for the header.
#[must_use]
pub fn check_header(table: Table, rows: &[Row]) -> Vec<Problem> {
    let (needed, more) = columns(table);
    let found: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys()).map(String::as_str).collect();
    let problem = |column: &str, code: &str, en: String, ja: String| Problem {
        row: 1,
        column: column.to_owned(),
        code: code.to_owned(),
        en,
        ja,
    };
    let mut problems = Vec::new();
    if rows.is_empty() {
        problems.push(problem("", "I005", "there are no rows".into(), "行がありません".into()));
        return problems;
    }
    for column in needed.iter().filter(|column| !found.contains(**column)) {
        problems.push(problem(column, "I006", "this column is missing".into(), "この列がありません".into()));
    }
    for column in found.iter().filter(|column| !needed.contains(column) && !more.contains(column)) {
        let known = needed.iter().chain(more).copied().collect::<Vec<_>>().join(", ");
        problems.push(problem(
            column,
            "I007",
            format!("there is no such column; known are: {known}"),
            format!("この列はありません。使える列: {known}"),
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&str, &str)]) -> Row {
        cells.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn every_wrong_cell_is_named_by_row_and_column() {
        let row = row(&[("lane", "two"), ("sent", "yesterday"), ("priority", "soon")]);
        let mut problems = Vec::new();
        let mut cells = Cells::new(7, &row, &mut problems);
        cells.needed("barcode");
        cells.number("lane");
        cells.moment("sent");
        cells.word("priority", &["routine", "urgent"], "routine");
        let found: Vec<_> =
            problems.iter().map(|found| (found.row, found.column.as_str(), found.code.as_str())).collect();
        assert_eq!(found, [(7, "barcode", "I001"), (7, "lane", "I002"), (7, "sent", "I003"), (7, "priority", "I004")]);
    }

    #[test]
    fn a_header_is_looked_at_once_and_whole() {
        let rows = [row(&[("code", "H1"), ("naem", "x")])];
        let found: Vec<_> =
            check_header(Table::Institutions, &rows).into_iter().map(|one| (one.column, one.code)).collect();
        assert_eq!(
            found,
            [("name".into(), "I006".into()), ("role".into(), "I006".into()), ("naem".to_owned(), "I007".to_owned())]
        );
    }

    #[test]
    fn a_date_is_a_moment_at_midnight() {
        assert_eq!(moment("1970-01-02"), Some(86_400_000_000));
        assert_eq!(moment("1970-01-01T09:00:00+09:00"), Some(0));
        assert_eq!(moment("2026-02-30"), None);
    }
}
