//! What the YAML parser says, in the words of somebody who did not write a parser.

use granit_parser::{ErrorKind, ScanError};

use super::Document;
use crate::diagnostic::Diagnostic;

/// The diagnostic for `error`.
pub(super) fn explain(document: &Document, error: &ScanError) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(document.source.len()).min(document.source.len());
    let (line, _) = document.lines.position(&document.source, offset);
    let start = document.lines.start(line);
    let text = document.source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    document.place(worded(error, text), offset..offset)
}

fn worded(error: &ScanError, line: &str) -> Diagnostic {
    match error.kind() {
        ErrorKind::UnknownAnchor => {
            let (en, ja) = (
                "this alias (`*name`) has no anchor (`&name`) before it",
                "このエイリアス (`*名前`) に対応するアンカー (`&名前`) が前にありません",
            );
            let (help_en, help_ja) = ("text that begins with `*` needs quotes", "`*` で始まる文字列は引用符で囲みます");
            Diagnostic::error("K019", en, ja).help(help_en, help_ja)
        }
        ErrorKind::RecursionLimitExceeded => Diagnostic::error("K005", "nested too deeply", "入れ子が深すぎます"),
        _ => invalid(error, line),
    }
}

fn invalid(error: &ScanError, line: &str) -> Diagnostic {
    let found = Diagnostic::error(
        "K001",
        format!("this is not valid YAML: {}", error.kind()),
        format!("YAML として読めません: {}", error.kind()),
    );
    match remedy(line) {
        Some((en, ja)) => found.help(en, ja),
        None => found,
    }
}

/// The usual causes, by what the line looks like.
fn remedy(line: &str) -> Option<(&'static str, &'static str)> {
    let indentation = &line[..line.len() - line.trim_start().len()];
    if indentation.contains('\t') {
        return Some((
            "indent with spaces; YAML does not allow tabs here",
            "字下げには空白を使います。YAML ではここにタブを書けません",
        ));
    }
    if line.contains("{{") && line.contains(['{', '[']) && !line.contains("\"${{") {
        return Some((
            r#"inside { } and [ ] quote it: "${{ x }}""#,
            r#"{ } や [ ] の中では引用符で囲みます: "${{ x }}""#,
        ));
    }
    if line.matches(": ").count() > 1 {
        return Some(("text with `: ` in it needs quotes", "`: ` を含む文字列は引用符で囲みます"));
    }
    if line.trim_start().starts_with(['@', '`', '%'])
        || line.contains(": @")
        || line.contains(": %")
        || line.contains(": `")
    {
        return Some(("text that begins with @, % or ` needs quotes", "@、%、` で始まる文字列は引用符で囲みます"));
    }
    None
}
