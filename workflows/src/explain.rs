//! The page of each code: what it means, what is wrong, what is right. `kentai explain K012` prints one.
//!
//! The pages are text files beside this one; their YAML examples are checked by a test, so that they cannot lie.

use crate::diagnostic::Language;

#[cfg(test)]
mod tests;

const CHAPTERS: [&str; 5] = [
    include_str!("explain/document.md"),
    include_str!("explain/names.md"),
    include_str!("explain/steps.md"),
    include_str!("explain/gates.md"),
    include_str!("explain/sheets.md"),
];

/// A page as its file holds it.
struct Page<'a> {
    code: &'a str,
    en: &'a str,
    ja: &'a str,
    wrong: &'a str,
    right: &'a str,
}

/// Every code that has a page, in order.
#[must_use]
pub fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = pages().map(|page| page.code).collect();
    codes.sort_unstable();
    codes
}

/// The page of `code` (upper or lower case), as Markdown.
#[must_use]
pub fn page(code: &str, language: Language) -> Option<String> {
    let page = pages().find(|page| page.code.eq_ignore_ascii_case(code))?;
    let (meaning, wrong, right) = match language {
        Language::En => (page.en, "Wrong:", "Right:"),
        Language::Ja => (page.ja, "誤り:", "正しい例:"),
    };
    let (code, bad, good) = (page.code, page.wrong.trim_end(), page.right.trim_end());
    Some(format!("# {code}\n\n{meaning}\n\n{wrong}\n\n{bad}\n\n{right}\n\n{good}\n"))
}

fn pages() -> impl Iterator<Item = Page<'static>> {
    let sections = CHAPTERS.iter().flat_map(|chapter| chapter.split("## ").skip(1));
    sections.filter_map(parsed)
}

fn parsed(section: &'static str) -> Option<Page<'static>> {
    let (head, examples) = section.split_once("\nwrong:\n")?;
    let (wrong, right) = examples.split_once("\nright:\n")?;
    let mut lines = head.lines();
    let code = lines.next()?.trim();
    let (en, ja) = match (lines.next(), lines.next()) {
        (Some(en), Some(ja)) => (en.strip_prefix("en: ")?, ja.strip_prefix("ja: ")?),
        _ => meaning(code)?,
    };
    Some(Page { code, en, ja, wrong, right })
}

/// Sheets and plans say themselves what their codes mean.
fn meaning(code: &str) -> Option<(&'static str, &'static str)> {
    let known = crate::sheet::CODES.iter().chain(crate::plan::CODES);
    known.copied().find(|(known, _, _)| *known == code).map(|(_, en, ja)| (en, ja))
}
