//! Bytes of a sheet as rows of cells, with the row numbers that a spreadsheet would show.
//!
//! Every size is limited here. What the columns mean is decided elsewhere.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::diagnostic::Diagnostic;
use crate::plan::words::Wrong;
use crate::sheet::place::Place;

/// A sheet of text: a million rows would be some 100 MiB, and no center orders so much at once.
const BYTES_MAX: usize = 16 << 20;
const ROWS_MAX: usize = 100_000;
const COLUMNS_MAX: usize = 500;
const CELL_BYTES_MAX: usize = 8 << 10;

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
const UTF16_BOMS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// One row, cells byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// 1-based, empty rows counted.
    pub(super) number: usize,
    pub(super) cells: Vec<String>,
}

impl Row {
    /// The cell in the 0-based column, empty where the row is too short.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Rows of separators alone, as spreadsheets leave them behind.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// The text of a sheet, without its byte order mark.
pub(super) fn text<'a>(file: &str, bytes: &'a [u8], notes: &mut Vec<Diagnostic>) -> Option<&'a str> {
    let top = Place::row(file, 1);
    if bytes.len() > BYTES_MAX {
        notes.push(top.error("S113", &Wrong::new("the sheet is larger than 16 MiB", "シートが 16 MiB を超えています")));
        return None;
    }
    let bare = bytes.strip_prefix(UTF8_BOM);
    if bare.is_some() {
        let wrong = Wrong::new(
            "the sheet begins with a byte order mark; it was ignored",
            "先頭の BOM（バイト順マーク）を無視しました",
        );
        notes.push(top.warning("S115", &wrong));
    }
    match std::str::from_utf8(bare.unwrap_or(bytes)) {
        Ok(text) => Some(text),
        Err(error) => {
            notes.push(not_utf8(file, bytes, error.valid_up_to()));
            None
        }
    }
}

fn not_utf8(file: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let row = 1 + line_ends(bytes.get(..valid).unwrap_or(bytes));
    let wrong = if UTF16_BOMS.iter().any(|bom| bytes.starts_with(bom)) {
        Wrong::new("the sheet is UTF-16, not UTF-8", "文字コードが UTF-8 ではなく UTF-16 です")
    } else {
        Wrong::new(
            "the sheet is not UTF-8 (perhaps Shift_JIS)",
            "文字コードが UTF-8 ではありません（Shift_JIS の可能性があります）",
        )
    };
    Place::row(file, row)
        .error("S112", &wrong)
        .help("in the spreadsheet, save as: CSV UTF-8", "表計算ソフトで「CSV UTF-8」を選んで保存し直してください")
}

/// Comma, or tab when the file's name or its first line says so.
pub(super) fn delimiter(file: &str, text: &str) -> u8 {
    let extension = file.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    let header = text.trim_start().lines().next().unwrap_or("");
    let tabs = header.contains('\t') && !header.contains(',');
    if tabs || (matches!(extension.as_str(), "tsv" | "tab") && !header.contains(',')) { b'\t' } else { b',' }
}

/// All rows that are not blank; mistakes of form go to `notes`.
pub(super) fn rows(file: &str, text: &str, delimiter: u8, notes: &mut Vec<Diagnostic>) -> Vec<Row> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::None)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut counter = RowCounter::default();
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        let start = usize::try_from(record.position().map_or(0, csv::Position::byte)).unwrap_or(0);
        let number = counter.number(text.as_bytes(), start, &record);
        if rows.len() > ROWS_MAX {
            notes.push(too_many(file, number, "rows", "行", ROWS_MAX));
            return Vec::new();
        }
        if let Some(trouble) = oversized(file, number, &record) {
            notes.push(trouble);
            continue;
        }
        let row = Row { number, cells: record.iter().map(str::to_owned).collect() };
        if !row.is_blank() {
            rows.push(row);
        }
    }
    if let Some(row) = counter.unclosed_quote(text.as_bytes()) {
        let wrong =
            Wrong::new("a quotation mark is opened here and never closed", "引用符が開いたまま閉じられていません");
        notes.push(Place::row(file, row).error("S101", &wrong));
    }
    rows
}

/// Looks at the record before its cells are copied: sixteen million empty cells are a small file.
fn oversized(file: &str, row: usize, record: &StringRecord) -> Option<Diagnostic> {
    if record.len() > COLUMNS_MAX {
        return Some(too_many(file, row, "columns", "列", COLUMNS_MAX));
    }
    let column = 1 + record.iter().position(|cell| cell.len() > CELL_BYTES_MAX)?;
    let wrong = Wrong::new("the cell holds more than 8 KiB of text", "セルの文字数が 8 KiB を超えています");
    Some(Place::row(file, row).in_column(column, &column.to_string()).error("S113", &wrong))
}

fn too_many(file: &str, row: usize, en: &str, ja: &str, most: usize) -> Diagnostic {
    let wrong = Wrong::new(format!("more than {most} {en}"), format!("{ja}数が上限の {most} を超えています"));
    Place::row(file, row).error("S113", &wrong)
}

/// Counts rows as a spreadsheet does: empty lines count, line ends inside a quoted cell do not.
///
/// The reader's own line numbers differ from both after empty lines and quoted line ends.
#[derive(Default)]
struct RowCounter {
    counted: usize,
    ends: usize,
    inside_cells: usize,
    last: usize,
}

impl RowCounter {
    /// The number of the row whose record was read from byte `from` on.
    fn number(&mut self, bytes: &[u8], from: usize, record: &StringRecord) -> usize {
        let rest = bytes.get(from..).unwrap_or_default();
        let start = from + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.ends += line_ends(bytes.get(self.counted..start).unwrap_or_default());
        self.counted = start;
        self.last = 1 + self.ends - self.inside_cells;
        self.inside_cells += record.iter().map(|cell| line_ends(cell.as_bytes())).sum::<usize>();
        self.last
    }

    /// The last row's number, when it runs over line ends to the end of the file with an odd number of quotation marks.
    fn unclosed_quote(&self, bytes: &[u8]) -> Option<usize> {
        let last = bytes.get(self.counted..)?;
        let marks = last.iter().filter(|byte| **byte == b'"').count();
        (marks % 2 == 1 && line_ends(last.trim_ascii_end()) > 0).then_some(self.last)
    }
}

/// Line ends of any kind; `\r\n` is one.
fn line_ends(bytes: &[u8]) -> usize {
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    let lone_returns =
        bytes.iter().enumerate().filter(|(at, byte)| **byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')).count();
    feeds + lone_returns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<usize> {
        rows("a.csv", text, b',', &mut Vec::new()).iter().map(|row| row.number).collect()
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_shows_them() {
        assert_eq!(numbers("a,b\n1,2\n3,4"), [1, 2, 3]);
        assert_eq!(numbers("a,b\r\n1,2\r\n3,4\r\n"), [1, 2, 3]);
        assert_eq!(numbers("a,b\r1,2\r3,4\r"), [1, 2, 3]);
        assert_eq!(numbers("a,b\n\n\n1,2\n,\n3,4"), [1, 4, 6]);
        assert_eq!(numbers("a,b\n\"x\ny\",2\n3,4"), [1, 2, 3]);
        assert_eq!(numbers("a,b\r\n\"x\r\ny\",2\r\n\r\n3,4"), [1, 2, 4]);
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_found() {
        let mut notes = Vec::new();
        rows("a.csv", "a,b\n1,\"2\n3,4\n", b',', &mut notes);
        assert_eq!((notes[0].code, notes[0].line), ("S101", 2));
    }

    #[test]
    fn the_header_decides_between_comma_and_tab() {
        assert_eq!(delimiter("a.csv", "x,y\n"), b',');
        assert_eq!(delimiter("a.csv", "x\ty\n"), b'\t');
        assert_eq!(delimiter("a.tsv", "x\ty\n"), b'\t');
        assert_eq!(delimiter("a.tsv", "x,y\n"), b',');
        assert_eq!(delimiter("a", "x\n"), b',');
    }

    #[test]
    fn other_encodings_are_named() {
        let mut notes = Vec::new();
        assert_eq!(text("a.csv", b"specimen\n\x8C\x9F\x91\xCC\n", &mut notes), None);
        assert_eq!(text("a.csv", b"\xFF\xFEs\0", &mut notes), None);
        assert_eq!((notes[0].code, notes[0].line), ("S112", 2));
        assert!(notes[1].message.en.contains("UTF-16"));
    }
}
