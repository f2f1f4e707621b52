//! The check of form: every key known, every value of the shape that the grammar wants, all mistakes at once.

use std::ops::Range;

use super::grammar::{Record, Shape};
use super::{Content, Document, Entry, Node};
use crate::diagnostic::Diagnostic;
use crate::resources::{parse_duration_ms, parse_factor, parse_size};

/// Words that expressions use themselves.
const RESERVED: [&str; 18] = [
    "params",
    "specimen",
    "steps",
    "resources",
    "run",
    "each",
    "all",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "true",
    "false",
    "none",
    "null",
];

/// Everything whose form differs from `record`, in file order.
pub(crate) fn check(document: &Document, root: &Node, record: &'static Record) -> Vec<Diagnostic> {
    let mut form = Form { document, findings: Vec::new(), key: "" };
    form.shape(root, &Shape::Record(record));
    form.findings
}

/// Is `text` an id?
pub(crate) fn is_id(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase());
    first && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The nearest of `known` to `written`, when it is near enough to be what was meant.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance is quadratic in length, and nobody mistypes a name of this length into another.
    if written.len() > 64 {
        return None;
    }
    let measured = known.into_iter().map(|name| (strsim::damerau_levenshtein(written, name), name));
    let close =
        measured.filter(|(distance, name)| *distance <= (name.chars().count().min(written.chars().count()) / 3).max(1));
    close.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// `diagnostic` with "did you mean", when there is something near.
pub(crate) fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(written, known) {
        Some(name) => diagnostic.label(format!("did you mean `{name}`?"), format!("`{name}` ですか？")),
        None => diagnostic,
    }
}

/// A file that is wrong everywhere is told so often enough.
const FINDINGS_MAX: usize = 500;

struct Form<'a> {
    document: &'a Document,
    findings: Vec<Diagnostic>,
    /// The key of the grammar whose value is being looked at.
    key: &'static str,
}

impl Form<'_> {
    fn note(&mut self, diagnostic: Diagnostic, span: Range<usize>) {
        self.findings.push(self.document.place(diagnostic, span));
    }

    fn shape(&mut self, node: &Node, shape: &Shape) {
        if self.findings.len() >= FINDINGS_MAX {
            return;
        }
        match (shape, &node.content) {
            (Shape::Either(shapes), _) => self.either(node, shapes),
            (Shape::List(item), Content::List(items)) => items.iter().for_each(|node| self.shape(node, item)),
            (Shape::Record(record), Content::Map(entries)) => self.record(node, entries, record),
            (Shape::Names(value), Content::Map(entries)) => self.names(entries, value),
            (Shape::Variables(value), Content::Map(entries)) => self.variables(entries, value),
            (Shape::Human, Content::Map(entries)) => self.human(node, entries),
            (Shape::List(_) | Shape::Record(_) | Shape::Names(_) | Shape::Variables(_), _)
            | (_, Content::List(_) | Content::Map(_) | Content::Null) => {
                self.wrong(node, shape);
            }
            (_, Content::Text(text)) => self.scalar(node, text, shape),
        }
    }

    fn either(&mut self, node: &Node, shapes: &[Shape]) {
        let fits = |shape: &&Shape| match node.content {
            Content::Map(_) => matches!(shape, Shape::Record(_) | Shape::Names(_)),
            Content::List(_) => matches!(shape, Shape::List(_)),
            Content::Text(_) | Content::Null => !matches!(shape, Shape::Record(_) | Shape::Names(_) | Shape::List(_)),
        };
        match shapes.iter().find(fits) {
            Some(shape) => self.shape(node, shape),
            None => {
                let (en, ja) = shapes.iter().map(Shape::words).unzip::<_, _, Vec<_>, Vec<_>>();
                self.expected(node, &en.join(", or "), &ja.join("、または "));
            }
        }
    }

    fn wrong(&mut self, node: &Node, shape: &Shape) {
        let (en, ja) = shape.words();
        self.expected(node, &en, &ja);
    }

    fn expected(&mut self, node: &Node, en: &str, ja: &str) {
        // `{{ x }}` has been told about as a map that wants quotes.
        if self.document.source.get(node.span.start..).is_some_and(|rest| rest.starts_with("{{")) {
            return;
        }
        let (found_en, found_ja) = found(node);
        let diagnostic = Diagnostic::error(
            "K014",
            format!("expected {en}; found {found_en}"),
            format!("{ja} を書く場所ですが、{found_ja} があります"),
        );
        self.note(diagnostic, node.span.clone());
    }

    fn record(&mut self, node: &Node, entries: &[Entry], record: &'static Record) {
        for entry in entries {
            if self.findings.len() >= FINDINGS_MAX {
                return;
            }
            match record.key(&entry.key) {
                Some(key) => {
                    self.key = key.name;
                    self.shape(&entry.value, &key.shape);
                }
                None => self.unknown(entry, record),
            }
        }
        for key in record.keys.iter().filter(|key| key.required && node.get(key.name).is_none()) {
            let diagnostic =
                Diagnostic::error("K011", format!("`{}` is missing", key.name), format!("`{}` がありません", key.name));
            let (en, ja) = key.shape.words();
            let help = (format!("write: {}: {en}", key.name), format!("書いてください: {}: {ja}", key.name));
            self.note(diagnostic.help(help.0, help.1), node.span.start..node.span.start + 1);
        }
    }

    fn unknown(&mut self, entry: &Entry, record: &'static Record) {
        let known = || record.keys.iter().map(|key| key.name);
        let diagnostic =
            Diagnostic::error("K010", format!("unknown key `{}`", entry.key), format!("不明なキー `{}`", entry.key));
        let diagnostic = match nearest(&entry.key, known()) {
            Some(_) => did_you_mean(diagnostic, &entry.key, known()),
            None => {
                let listed = known().collect::<Vec<_>>().join(", ");
                diagnostic.help(format!("known here: {listed}"), format!("ここで使えるもの: {listed}"))
            }
        };
        self.note(diagnostic, entry.key_span.clone());
    }

    fn names(&mut self, entries: &[Entry], value: &Shape) {
        for entry in entries {
            if self.findings.len() >= FINDINGS_MAX {
                return;
            }
            self.id(&entry.key, &entry.key_span);
            self.shape(&entry.value, value);
        }
    }

    fn variables(&mut self, entries: &[Entry], value: &Shape) {
        for entry in entries {
            let first = entry.key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !first || !entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let (en, ja) = ("this is not a name of an environment variable", "環境変数の名前として使えません");
                self.note(Diagnostic::error("K015", en, ja), entry.key_span.clone());
            }
            self.shape(&entry.value, value);
        }
    }

    fn human(&mut self, node: &Node, entries: &[Entry]) {
        for entry in entries {
            if !matches!(&*entry.key, "en" | "ja") {
                let diagnostic = Diagnostic::error(
                    "K010",
                    format!("unknown key `{}`", entry.key),
                    format!("不明なキー `{}`", entry.key),
                );
                self.note(diagnostic.help("known here: en, ja", "ここで使えるもの: en, ja"), entry.key_span.clone());
            }
            self.shape(&entry.value, &Shape::Text);
        }
        if node.get("en").is_none() && node.get("ja").is_none() {
            self.wrong(node, &Shape::Human);
        }
    }

    fn id(&mut self, text: &str, span: &Range<usize>) {
        if RESERVED.contains(&text) {
            let diagnostic = Diagnostic::error(
                "K015",
                format!("`{text}` is a word of the language"),
                format!("`{text}` は言語の予約語です"),
            );
            self.note(diagnostic.help("choose another name", "別の名前にしてください"), span.clone());
        } else if !is_id(text) {
            let diagnostic = Diagnostic::error(
                "K015",
                format!("`{text}` is not a snake_case name"),
                format!("`{text}` は snake_case の名前ではありません"),
            );
            let suggestion = snake_case(text);
            self.note(
                diagnostic.help(format!("write: {suggestion}"), format!("こう書きます: {suggestion}")),
                span.clone(),
            );
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, shape: &Shape) {
        let fits = match shape {
            Shape::Version => return self.version(node, text),
            Shape::Id => return self.id(text, &node.span),
            Shape::Choice(words) => return self.choice(node, text, words),
            Shape::Expression => return self.bare(node, text),
            Shape::Integer(least) => text.parse::<u64>().is_ok_and(|number| number >= *least),
            Shape::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            Shape::Boolean => matches!(text, "true" | "false"),
            Shape::Duration => parse_duration_ms(text).is_some(),
            Shape::Size => parse_size(text).is_some(),
            Shape::Factor => parse_factor(text).is_some(),
            _ => true,
        };
        if !fits {
            self.wrong(node, shape);
        }
    }

    fn version(&mut self, node: &Node, text: &str) {
        if text != "1" {
            let diagnostic = Diagnostic::error(
                "K004",
                format!("version `{text}` of the language is not known"),
                format!("言語の版 `{text}` には対応していません"),
            );
            self.note(diagnostic.help("write: kentai: 1", "こう書きます: kentai: 1"), node.span.clone());
        }
    }

    fn choice(&mut self, node: &Node, text: &str, words: &[&'static str]) {
        if !words.contains(&text) {
            let diagnostic = Diagnostic::error(
                "K016",
                format!("`{text}` is not one of the choices"),
                format!("`{text}` は選択肢にありません"),
            );
            let listed = words.join(", ");
            let diagnostic = diagnostic.help(format!("one of: {listed}"), format!("選択肢: {listed}"));
            self.note(did_you_mean(diagnostic, text, words.iter().copied()), node.span.clone());
        }
    }

    fn bare(&mut self, node: &Node, text: &str) {
        if text.contains("${{") {
            let key = self.key;
            let fix = text.replace("${{", "").replace("}}", "");
            let fix = fix.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut diagnostic = Diagnostic::error(
                "K030",
                format!("`{key}` takes a bare expression, without ${{{{ }}}}"),
                format!("`{key}` には ${{{{ }}}} なしの式を書きます"),
            )
            .help(format!("write: {fix}"), format!("こう書きます: {fix}"));
            if key == "when" {
                diagnostic = diagnostic.label("this text would always be true", "この文字列は常に真になってしまいます");
            }
            self.note(diagnostic, node.span.clone());
        }
    }
}

fn found(node: &Node) -> (String, String) {
    match &node.content {
        Content::Null => ("nothing".to_owned(), "値がない状態".to_owned()),
        Content::List(_) => ("a list".to_owned(), "リスト".to_owned()),
        Content::Map(_) => ("a map".to_owned(), "マップ".to_owned()),
        Content::Text(text) => {
            let shown: String = text.chars().take(40).collect();
            (format!("`{shown}`"), format!("`{shown}`"))
        }
    }
}

fn snake_case(text: &str) -> String {
    let mut snake = String::new();
    for character in text.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        let kept = character.is_ascii_alphanumeric();
        snake.push(if kept { character.to_ascii_lowercase() } else { '_' });
    }
    let trimmed = snake.trim_matches('_');
    if is_id(trimmed) { trimmed.to_owned() } else { format!("x_{trimmed}").trim_end_matches('_').to_owned() }
}
