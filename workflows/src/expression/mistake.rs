//! What can be wrong with the form of an expression, in words, with the bytes it concerns.
//!
//! The one place that words these sentences; it does not know where the expression stands.

use std::ops::Range;

use crate::diagnostic::Diagnostic;

/// A mistake in the form of an expression or template; `span` counts bytes of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Message, label and remedy; its place is not filled in.
    pub(crate) diagnostic: Box<Diagnostic>,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
}

impl Mistake {
    pub(crate) fn new(diagnostic: Diagnostic, span: Range<usize>) -> Self {
        Self { diagnostic: Box::new(diagnostic), span }
    }

    /// The same mistake in a text that begins `offset` bytes earlier.
    pub(super) fn moved(mut self, offset: usize) -> Self {
        self.span = self.span.start + offset..self.span.end + offset;
        self
    }

    pub(super) fn unclosed_text(span: Range<usize>) -> Self {
        let found = Diagnostic::error("K032", "this text has no closing quote", "この文字列は引用符が閉じていません");
        Self::new(found, span)
    }

    pub(super) fn foreign_sign(sign: &str, remedy: &str) -> Self {
        let found = Diagnostic::error(
            "K033",
            format!("`{sign}` is not an operator here"),
            format!("`{sign}` はここでは演算子ではありません"),
        )
        .help(format!("write: {remedy}"), format!("こう書きます: {remedy}"));
        Self::new(found, 0..sign.len())
    }

    pub(super) fn unknown_character(character: char) -> Self {
        let found = Diagnostic::error(
            "K032",
            format!("`{character}` cannot stand in an expression; text needs quotes"),
            format!("`{character}` は式の中に書けません。文字列は引用符で囲みます"),
        );
        Self::new(found, 0..character.len_utf8())
    }

    pub(super) fn unexpected(found: &str, expected_en: &str, expected_ja: &str, span: Range<usize>) -> Self {
        let diagnostic = Diagnostic::error(
            "K032",
            format!("expected {expected_en}, found {found}"),
            format!("{expected_ja}が必要ですが、{found} があります"),
        );
        Self::new(diagnostic, span)
    }

    pub(super) fn too_long(bytes: usize, limit: usize) -> Self {
        let found = Diagnostic::error(
            "K034",
            format!("this expression has {bytes} bytes; at most {limit} are allowed"),
            format!("この式は {bytes} バイトあります。上限は {limit} バイトです"),
        )
        .help("move the work into a script step", "処理をスクリプトのステップに移してください");
        Self::new(found, 0..bytes)
    }

    pub(super) fn too_complicated(span: Range<usize>) -> Self {
        let found = Diagnostic::error(
            "K034",
            "this expression is too deeply nested or too long",
            "この式は入れ子が深すぎるか、長すぎます",
        )
        .help("move the work into a script step", "処理をスクリプトのステップに移してください");
        Self::new(found, span)
    }

    pub(super) fn function(name: &str, span: Range<usize>) -> Self {
        let found = Diagnostic::error(
            "K028",
            format!("there are no functions: `{name}(…)`"),
            format!("関数は使えません: `{name}(…)`"),
        );
        let listed = super::filters::NAMES.join(", ");
        Self::new(
            found.help(format!("filters: value | {listed}"), format!("フィルターは使えます: 値 | {listed}")),
            span,
        )
    }

    pub(super) fn filter(name: &str, span: Range<usize>) -> Self {
        let found = Diagnostic::error(
            "K027",
            format!("there is no filter `{name}`"),
            format!("フィルター `{name}` はありません"),
        );
        let listed = super::filters::NAMES.join(", ");
        Self::new(found.help(format!("filters: {listed}"), format!("使えるもの: {listed}")), span)
    }

    pub(super) fn not_supported(en: &str, ja: &str, remedy_en: &str, remedy_ja: &str, span: Range<usize>) -> Self {
        Self::new(Diagnostic::error("K032", en, ja).help(remedy_en, remedy_ja), span)
    }

    /// What the evaluating crate says about a text that the parser let through.
    pub(super) fn refused(reason: &str, span: Range<usize>) -> Self {
        let found = Diagnostic::error(
            "K032",
            format!("this is not an expression: {reason}"),
            format!("式として読めません: {reason}"),
        );
        Self::new(found, span)
    }

    pub(super) fn unclosed_template(span: Range<usize>) -> Self {
        let found = Diagnostic::error("K035", "`${{` without its `}}`", "`${{` に対応する `}}` がありません");
        Self::new(found, span)
    }
}
