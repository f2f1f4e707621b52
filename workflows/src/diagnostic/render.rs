//! Diagnostics as a terminal shows them: the line, a caret, the remedy.
//!
//! The drawing crate panics on ranges that cut characters and reads the whole text for each drawing, so it is handed one line
//! at a time, with a range that is whole.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::lines::{Lines, ceiling, floor};
use super::{Diagnostic, Language, Severity, spoken};

/// Bytes of a line that are shown on either side of the mistake.
const SHOWN_BYTES: usize = 160;

/// Draws `diagnostics` over `sources` (path → text), one paragraph each; empty when there are none.
#[must_use]
pub fn render(
    diagnostics: &[Diagnostic],
    sources: &BTreeMap<String, String>,
    language: Language,
    color: bool,
) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut lines: BTreeMap<&str, Lines> = BTreeMap::new();
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        let source = sources.get(&diagnostic.file).map(String::as_str);
        let excerpt = source.and_then(|source| {
            let lines = lines.entry(&diagnostic.file).or_insert_with(|| Lines::of(source));
            excerpt(diagnostic, source, lines)
        });
        drawn.push_str(&renderer.render(&[group(diagnostic, excerpt, language)]));
        drawn.push_str("\n\n");
    }
    drawn
}

/// A line of the file, without its end, and the marked bytes in it.
struct Excerpt<'a> {
    text: &'a str,
    marked: Range<usize>,
    whole: bool,
}

fn excerpt<'a>(diagnostic: &Diagnostic, source: &'a str, lines: &Lines) -> Option<Excerpt<'a>> {
    let span = diagnostic.span.clone()?;
    let line_start = lines.start(diagnostic.line);
    let rest = source.get(line_start..)?;
    let line_end = line_start + rest.find(['\n', '\r']).unwrap_or(rest.len());
    let start = floor(source, span.start.clamp(line_start, line_end));
    // A zero-wide mark is widened to one character, but never over the line's end: that would draw a two-line mark.
    let end = ceiling(source, span.end.max(start + 1)).min(line_end).max(start);
    let from = floor(source, start.saturating_sub(SHOWN_BYTES)).max(line_start);
    let until = ceiling(source, start.saturating_add(SHOWN_BYTES)).min(line_end);
    let marked = start - from..end.min(until) - from;
    source.get(from..until).map(|text| Excerpt { text, marked, whole: from == line_start })
}

fn group<'a>(diagnostic: &'a Diagnostic, excerpt: Option<Excerpt<'a>>, language: Language) -> Group<'a> {
    let title = level(diagnostic.severity, language).primary_title(visible(spoken(&diagnostic.message, language)));
    let label = diagnostic.label.as_ref().map(|label| visible(spoken(label, language)));
    let title = title.id(diagnostic.code);
    let path = visible(&diagnostic.file);
    let origin = Origin::path(path.clone()).line(diagnostic.line).char_column(diagnostic.column);
    let mut group = match excerpt {
        None => title.element(origin),
        Some(excerpt) => {
            let mark = AnnotationKind::Primary.span(excerpt.marked).label(label);
            let snippet = Snippet::source(excerpt.text).line_start(diagnostic.line).annotation(mark);
            // A cut line would give a wrong column, so the place is named before it.
            if excerpt.whole { title.element(snippet.path(path)) } else { title.element(origin).element(snippet) }
        }
    };
    for line in diagnostic.help.iter().flat_map(|help| spoken(help, language).lines()) {
        group = group.element(Level::HELP.no_name().message(visible(line)));
    }
    group
}

fn level(severity: Severity, language: Language) -> Level<'static> {
    match (severity, language) {
        (Severity::Error, Language::En) => Level::ERROR,
        (Severity::Error, Language::Ja) => Level::ERROR.with_name("エラー"),
        (Severity::Warning, Language::En) => Level::WARNING,
        (Severity::Warning, Language::Ja) => Level::WARNING.with_name("警告"),
    }
}

/// `text` with control characters made visible: a workflow is not to drive the terminal of whoever checks it.
fn visible(text: &str) -> String {
    let shown = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(source: &str, span: Range<usize>) -> String {
        let found = Diagnostic::error("K012", "step `alignn` does not exist", "ステップ `alignn` はありません")
            .at("germline.yaml", source, span)
            .label("did you mean `align`?", "`align` ですか？")
            .help("one: a\ntwo: b", "一");
        let sources = BTreeMap::from([("germline.yaml".to_owned(), source.to_owned())]);
        render(&[found], &sources, Language::En, false)
    }

    #[test]
    fn the_caret_stands_under_the_name_that_is_wrong() {
        insta::assert_snapshot!(drawn("steps:\n  bams: ${{ steps.alignn.all.bam }}\n", 25..31));
    }

    #[test]
    fn wide_characters_keep_the_caret_in_its_place() {
        insta::assert_snapshot!(drawn("題: ${{ steps.alignn }}\n", 15..21));
    }

    #[test]
    fn no_range_makes_the_drawing_panic() {
        for source in ["", "\n", "題", "a\r\nb", "題: 値\n\n", "\t\t: \u{1b}[31m"] {
            for start in 0..12 {
                for end in 0..12 {
                    let _ = drawn(source, start..end);
                }
            }
        }
    }
}
