//! Where something stands in a sheet, and the sentence that says so in both languages.
//!
//! Rows are counted as a spreadsheet shows them: the header is row 1.

use crate::diagnostic::Diagnostic;
use crate::plan::words::Wrong;

/// A row of a sheet, or one cell of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Path of the sheet as it was given.
    pub(super) file: &'a str,
    /// 1-based.
    pub(super) row: usize,
    /// 1-based number and name; `None`: the whole row.
    pub(super) column: Option<(usize, &'a str)>,
}

impl<'a> Place<'a> {
    pub(super) fn row(file: &'a str, row: usize) -> Self {
        Self { file, row, column: None }
    }

    pub(super) fn in_column(self, number: usize, name: &'a str) -> Self {
        Self { column: Some((number, name)), ..self }
    }

    pub(super) fn error(self, code: &'static str, wrong: &Wrong) -> Diagnostic {
        let (en, ja) = self.sentence(wrong);
        Diagnostic::error(code, en, ja).at_line(self.file, self.row, self.column_number())
    }

    pub(super) fn warning(self, code: &'static str, wrong: &Wrong) -> Diagnostic {
        let (en, ja) = self.sentence(wrong);
        Diagnostic::warning(code, en, ja).at_line(self.file, self.row, self.column_number())
    }

    fn column_number(self) -> usize {
        self.column.map_or(1, |(number, _)| number)
    }

    fn sentence(self, wrong: &Wrong) -> (String, String) {
        let base = self.file.rsplit('/').next().unwrap_or(self.file);
        let row = self.row;
        let (en_column, ja_column) = match self.column {
            Some((_, name)) => (format!(", column `{name}`"), format!("、列 `{name}`")),
            None => (String::new(), String::new()),
        };
        (format!("{base} row {row}{en_column}: {}", wrong.en), format!("{base} の {row} 行目{ja_column}: {}", wrong.ja))
    }
}
