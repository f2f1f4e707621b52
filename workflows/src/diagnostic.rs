//! What a person wrote wrong: where it is, what was expected, what to write instead.
//!
//! A diagnostic is data; [`render`] draws it for a terminal and [`to_json`] for machines. It knows nothing of the checks that
//! make it, and every sentence it carries is in English and Japanese.

use std::ops::Range;

use serde_json::{Value, json};

use crate::workflow::Text;

mod lines;
mod render;

pub use lines::Lines;
pub use render::render;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but somebody should look.
    Warning,
}

/// The language that people are spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// One mistake, with its place and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its name in the manual, `K012`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: Text,
    /// What stands under the caret.
    pub label: Option<Text>,
    /// What to write instead; several lines are several suggestions.
    pub help: Option<Text>,
    /// Path of the file as it was given.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Bytes in the file's text, when it has a text.
    pub span: Option<Range<usize>>,
}

impl Diagnostic {
    /// A mistake that makes the file unusable.
    #[must_use]
    pub fn error(code: &'static str, en: impl Into<String>, ja: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, text(en, ja))
    }

    /// A mistake that leaves the file usable.
    #[must_use]
    pub fn warning(code: &'static str, en: impl Into<String>, ja: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, text(en, ja))
    }

    fn new(code: &'static str, severity: Severity, message: Text) -> Self {
        Self { code, severity, message, label: None, help: None, file: String::new(), line: 1, column: 1, span: None }
    }

    /// Places it at the bytes `span` of `source`; a span outside of the text is moved to its end.
    #[must_use]
    pub fn at(self, file: impl Into<String>, source: &str, span: Range<usize>) -> Self {
        self.at_lines(file, &Lines::of(source), source, span)
    }

    /// Like [`Diagnostic::at`] for many diagnostics of one file, whose lines were found once.
    #[must_use]
    pub fn at_lines(mut self, file: impl Into<String>, lines: &Lines, source: &str, span: Range<usize>) -> Self {
        let start = lines::floor(source, span.start);
        (self.line, self.column) = lines.position(source, start);
        self.file = file.into();
        self.span = Some(start..lines::floor(source, span.end).max(start));
        self
    }

    /// Places it at a 1-based line and column of a file whose text is not shown.
    #[must_use]
    pub fn at_line(mut self, file: impl Into<String>, line: usize, column: usize) -> Self {
        self.file = file.into();
        self.line = line;
        self.column = column;
        self
    }

    /// Says what stands under the caret.
    #[must_use]
    pub fn label(mut self, en: impl Into<String>, ja: impl Into<String>) -> Self {
        self.label = Some(text(en, ja));
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, en: impl Into<String>, ja: impl Into<String>) -> Self {
        self.help = Some(text(en, ja));
        self
    }
}

/// Does any of them make the file unusable?
#[must_use]
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// The same mistakes for machines: `{"diagnostics": [{code, severity, message, file, line, column, help}]}`.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], language: Language) -> Value {
    let items: Vec<Value> = diagnostics.iter().map(|diagnostic| item(diagnostic, language)).collect();
    json!({ "diagnostics": items })
}

fn item(diagnostic: &Diagnostic, language: Language) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "code": diagnostic.code,
        "severity": severity,
        "message": spoken(&diagnostic.message, language),
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "label": diagnostic.label.as_ref().map(|label| spoken(label, language)),
        // Who reads only `help` still gets the remedy when it stands under the caret (`did you mean …`).
        "help": diagnostic.help.as_ref().or(diagnostic.label.as_ref()).map(|help| spoken(help, language)),
    })
}

/// `text` in `language`, English where there is no Japanese.
#[must_use]
pub fn spoken(text: &Text, language: Language) -> &str {
    match (language, &text.ja) {
        (Language::Ja, Some(ja)) => ja,
        _ => &text.en,
    }
}

fn text(en: impl Into<String>, ja: impl Into<String>) -> Text {
    Text { en: en.into(), ja: Some(ja.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = "題: 値\nx: y\n";
        let found = Diagnostic::error("K001", "a", "b").at("f.yaml", source, 5..8);
        assert_eq!((found.line, found.column), (1, 4));
        let found = Diagnostic::error("K001", "a", "b").at("f.yaml", source, 12..13);
        assert_eq!((found.line, found.column), (2, 4));
    }

    #[test]
    fn a_span_that_cuts_a_character_or_leaves_the_text_is_mended() {
        let found = Diagnostic::error("K001", "a", "b").at("f.yaml", "題", 1..9);
        assert_eq!(found.span, Some(0..3));
    }

    #[test]
    fn machines_get_the_language_they_ask_for() {
        let found = [Diagnostic::warning("K001", "bad", "悪い").at_line("s.csv", 7, 2).help("fix", "直す")];
        let value = to_json(&found, Language::Ja);
        assert_eq!(value["diagnostics"][0]["message"], "悪い");
        assert_eq!(value["diagnostics"][0]["severity"], "warning");
        assert_eq!(value["diagnostics"][0]["help"], "直す");
        assert!(!has_errors(&found));
    }
}
