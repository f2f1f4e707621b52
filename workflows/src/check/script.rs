//! Scripts get no interpolation: what is written as `${{ }}` is told how it arrives instead.

use std::collections::BTreeSet;
use std::ops::Range;

use super::checker::Checker;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, did_you_mean};

/// One script full of them is one misunderstanding.
const TOLD_MAX: usize = 20;

/// Checks the text of `script`, a value of the step `node`.
pub(super) fn check(checker: &mut Checker<'_>, node: &Node, script: &Node, loops: &[(String, Type)]) {
    let Some(text) = script.text() else { return };
    if text.trim().is_empty() {
        checker.note(Diagnostic::error("K014", "the script is empty", "スクリプトが空です"), script.span.clone());
    }
    for (open, _) in text.match_indices("${{").take(TOLD_MAX) {
        let length = text[open..].find("}}").map_or(3, |close| close + 2);
        let inner = text[open + 3..(open + length).max(open + 5) - 2].trim();
        let variable = arrives_as(node, inner, loops);
        let found = Diagnostic::error(
            "K031",
            "nothing is filled into a script: a value there could run as a command",
            "スクリプトの中では展開しません。値がコマンドとして実行される恐れがあるためです",
        )
        .help(variable.0, variable.1);
        let span = checker.document.locate(script, open..open + length);
        checker.note(found, span);
    }
    variables(checker, node, script, loops);
}

/// The remedy for `${{ inner }}`.
fn arrives_as(node: &Node, inner: &str, loops: &[(String, Type)]) -> (String, String) {
    let write = |variable: &str| (format!("write: \"{variable}\""), format!("こう書きます: \"{variable}\""));
    let same = |entry: &&crate::document::Entry| {
        let value = entry.value.get("from").unwrap_or(&entry.value).text().unwrap_or("");
        value.trim().trim_start_matches("${{").trim_end_matches("}}").trim() == inner
    };
    let named = |key: &str| node.get(key).map(Node::entries).unwrap_or_default().iter().find(same);
    if let Some(entry) = named("inputs") {
        return write(&format!("$in_{}", entry.key));
    }
    if let Some(entry) = named("env") {
        return write(&format!("${}", entry.key));
    }
    match inner {
        "specimen.id" => return write("$specimen_id"),
        "resources.cpus" => return write("$cpus"),
        "resources.memory" => return write("$memory_mb"),
        "resources.disk" => return write("$disk_mb"),
        _ => {}
    }
    if is_text_of_loop(inner, loops) {
        return write(&format!("$each_{}", inner.replace('.', "_")));
    }
    let name = inner.rsplit('.').next().filter(|name| crate::document::is_id(name)).unwrap_or("x");
    if inner.starts_with("params.") || inner.starts_with("specimen.") {
        let upper = name.to_ascii_uppercase();
        let en = format!(
            "a file: inputs: {{ {name}: \"${{{{ {inner} }}}}\" }}, then \"$in_{name}\"\nelse:   env: {{ {upper}: \"${{{{ {inner} }}}}\" }}, then \"${upper}\""
        );
        let ja = format!(
            "ファイルなら: inputs: {{ {name}: \"${{{{ {inner} }}}}\" }} として \"$in_{name}\"\nそれ以外: env: {{ {upper}: \"${{{{ {inner} }}}}\" }} として \"${upper}\""
        );
        return (en, ja);
    }
    (
        format!("write: inputs: {{ {name}: \"${{{{ {inner} }}}}\" }}, then \"$in_{name}\""),
        format!("inputs: {{ {name}: \"${{{{ {inner} }}}}\" }} と書いて、\"$in_{name}\" を使います"),
    )
}

/// A loop name, or a field of it that is no file: files come through `inputs` only.
fn is_text_of_loop(inner: &str, loops: &[(String, Type)]) -> bool {
    let (root, field) = inner.split_once('.').unwrap_or((inner, ""));
    let kind = loops.iter().find(|(name, _)| name == root).map(|(_, kind)| kind);
    match kind {
        Some(Type::Record(fields)) => {
            field.is_empty() || fields.iter().any(|(name, kind)| name == field && !kind.is_file())
        }
        Some(_) => crate::document::is_id(&inner.replace('.', "_")),
        None => false,
    }
}

/// `$in_X`, `$out_X` and `$each_X` that nothing declares.
fn variables(checker: &mut Checker<'_>, node: &Node, script: &Node, loops: &[(String, Type)]) {
    let text = script.text().unwrap_or("");
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (key, prefix) in [("inputs", "in_"), ("outputs", "out_"), ("env", "")] {
        let entries = node.get(key).map(Node::entries).unwrap_or_default();
        known.extend(entries.iter().map(|entry| format!("{prefix}{}", entry.key)));
    }
    for (name, kind) in loops {
        known.insert(format!("each_{name}"));
        if let Type::Record(fields) = kind {
            let texts = fields.iter().filter(|(_, kind)| !kind.is_file());
            known.extend(texts.map(|(field, _)| format!("each_{name}_{field}")));
        }
    }
    let open_ended = loops.iter().any(|(_, kind)| *kind == Type::Any);
    let mut told = BTreeSet::new();
    for (name, range) in used(text) {
        let ours = name.starts_with("in_") || name.starts_with("out_") || (name.starts_with("each_") && !open_ended);
        if !ours || known.contains(name) || is_assigned(text, name) || told.len() >= TOLD_MAX || !told.insert(name) {
            continue;
        }
        let found = Diagnostic::warning(
            "K046",
            format!("nothing gives `${name}` to this script"),
            format!("`${name}` はこのスクリプトに渡されません"),
        );
        let found = did_you_mean(found, name, known.iter().map(String::as_str));
        let span = checker.document.locate(script, range);
        checker.note(found, span);
    }
}

/// Variables that a shell would expand, with their bytes.
fn used(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let start = at + 1 + usize::from(rest.starts_with('{'));
        let rest = &text[start..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        (length > 0).then(|| (&rest[..length], start..start + length))
    })
}

/// Does the script itself set `name`? Reading shell properly is not worth it for a warning: any mention without `$` counts.
fn is_assigned(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(['$', '{']) && !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    })
}
