//! `params`, `specimen.fields` and `specimen.inputs`.

use serde_json::json;

use super::checker::{Checker, flag, human, number, owned, text_of, texts};
use super::names::SPECIMEN_FACTS;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Node};
use crate::resources::{parse_duration_s, parse_size};
use crate::value::Value;
use crate::workflow::{InputKind, InputSpec, Param, ParamKind};

/// Columns of a sheet that belong to nobody's field.
const COLUMNS: [&str; 5] = ["specimen", "participant", "barcode", "consent", "priority"];

impl Checker<'_> {
    /// The parameters under `node`.
    pub(super) fn params(&mut self, node: Option<&Node>) -> Vec<Param> {
        let entries = node.map(Node::entries).unwrap_or_default();
        entries.iter().filter_map(|entry| self.param(entry)).collect()
    }

    fn param(&mut self, entry: &Entry) -> Option<Param> {
        let node = &entry.value;
        let kind = self.param_kind(entry)?;
        let default = node.get("default").and_then(|default| self.default(default, &kind));
        let required = flag(node, "required", node.get("default").is_none());
        let (min, max) = (number(node, "min"), number(node, "max"));
        let help = human(node.get("help"), "");
        let param =
            Param { name: entry.key.to_string(), kind, default, min, max, unit: owned(node, "unit"), required, help };
        self.limits(&param, node);
        Some(param)
    }

    fn param_kind(&mut self, entry: &Entry) -> Option<ParamKind> {
        let node = &entry.value;
        let kind = match text_of(node, "type")? {
            "string" => ParamKind::String,
            "number" => ParamKind::Number,
            "integer" => ParamKind::Integer,
            "boolean" => ParamKind::Boolean,
            "choice" => ParamKind::Choice(texts(node, "of")),
            "file" => ParamKind::File,
            "duration" => ParamKind::Duration,
            "size" => ParamKind::Size,
            "reference" => ParamKind::Reference,
            _ => return None,
        };
        let chosen = matches!(&kind, ParamKind::Choice(of) if !of.is_empty());
        if matches!(kind, ParamKind::Choice(_)) && !chosen {
            let found = Diagnostic::error("K011", "`of` is missing", "`of` がありません")
                .help("write: of: [a, b]", "書いてください: of: [a, b]");
            self.note(found, entry.key_span.clone());
        } else if !chosen && let Some(of) = node.entry("of") {
            let (en, ja) = ("`of` belongs to `type: choice`", "`of` は `type: choice` で使います");
            self.note(Diagnostic::error("K081", en, ja), of.key_span.clone());
        }
        Some(kind)
    }

    fn default(&mut self, node: &Node, kind: &ParamKind) -> Option<Value> {
        let text = node.text()?;
        let value = parsed(text, kind);
        if value.is_none() {
            let (en, ja) = expected(kind);
            let found =
                Diagnostic::error("K081", format!("the default is not {en}"), format!("既定値が{ja}ではありません"));
            self.note(found, node.span.clone());
        }
        if *kind == ParamKind::Reference && value.is_some() {
            let known = self.site.references.as_ref().map(std::collections::BTreeMap::keys);
            self.at_site(("reference bundle", "リファレンス"), text, known, node.span.clone());
        }
        value
    }

    fn limits(&mut self, param: &Param, node: &Node) {
        let countable = matches!(param.kind, ParamKind::Number | ParamKind::Integer);
        for key in ["min", "max", "unit"] {
            if let Some(entry) = node.entry(key)
                && !countable
            {
                let found = Diagnostic::error(
                    "K081",
                    format!("only numbers have `{key}`"),
                    format!("`{key}` は数値だけに使えます"),
                );
                self.note(found, entry.key_span.clone());
            }
        }
        let default = param.default.as_ref().and_then(Value::as_f64);
        let bounds = [(param.min, default), (default, param.max), (param.min, param.max)];
        let wrong = countable && bounds.iter().any(|bound| matches!(bound, (Some(low), Some(high)) if low > high));
        if wrong {
            let (en, ja) =
                ("`min`, `default` and `max` are not in order", "`min`、`default`、`max` の順に大きくなっていません");
            let place = node.get("default").or_else(|| node.get("max")).unwrap_or(node);
            self.note(Diagnostic::error("K081", en, ja), place.span.clone());
        }
    }

    /// The specimen's inputs under `node`.
    pub(super) fn specimen_inputs(&mut self, node: Option<&Node>) -> Vec<InputSpec> {
        let entries = node.map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| self.specimen_input(entry)).collect()
    }

    fn specimen_input(&mut self, entry: &Entry) -> InputSpec {
        let node = &entry.value;
        let name = entry.key.to_string();
        let required = flag(node, "required", true);
        if text_of(node, "type") != Some("list") {
            return InputSpec { name, kind: InputKind::File, required };
        }
        let column = owned(node, "column").unwrap_or_else(|| singular(&name));
        let min_items = number(node, "min_items").unwrap_or(usize::from(required));
        let item = self.item(node.get("item"));
        InputSpec { name, kind: InputKind::List { item, column, min_items }, required }
    }

    fn item(&mut self, node: Option<&Node>) -> Vec<(String, bool)> {
        let entries = node.map(Node::entries).unwrap_or_default();
        let mut fields: Vec<(String, bool)> = Vec::new();
        for entry in entries {
            let file = entry.value.text() == Some("file");
            if &*entry.key == "id" && file {
                let (en, ja) = ("`id` of an item is text", "項目の `id` は文字列です");
                self.note(
                    Diagnostic::error("K081", en, ja).help("write: id: string", "こう書きます: id: string"),
                    entry.value.span.clone(),
                );
            }
            fields.push((entry.key.to_string(), file));
        }
        if !fields.iter().any(|(name, _)| name == "id") {
            fields.insert(0, ("id".to_owned(), false));
        }
        fields
    }

    /// Names that two things of a specimen, or a column of every sheet, would share.
    pub(super) fn specimen_names(&mut self, specimen: &Node) {
        let fields = specimen.get("fields").map(Node::entries).unwrap_or_default();
        let inputs = specimen.get("inputs").map(Node::entries).unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        for entry in fields.iter().chain(inputs) {
            let taken = SPECIMEN_FACTS.contains(&&*entry.key) || COLUMNS.contains(&&*entry.key);
            if taken || !seen.insert(entry.key.clone()) {
                let found = Diagnostic::error(
                    "K015",
                    format!("`{}` already names something of every specimen", entry.key),
                    format!("`{}` という名前はすでに使われています", entry.key),
                );
                self.note(found.help("choose another name", "別の名前にしてください"), entry.key_span.clone());
            }
        }
    }
}

fn parsed(text: &str, kind: &ParamKind) -> Option<Value> {
    match kind {
        ParamKind::String | ParamKind::File => Some(json!(text)),
        ParamKind::Number => {
            let whole = text.parse::<i64>().ok().map(|number| json!(number));
            whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number)))
        }
        ParamKind::Integer => text.parse::<i64>().ok().map(|number| json!(number)),
        ParamKind::Boolean => text.parse::<bool>().ok().map(|truth| json!(truth)),
        ParamKind::Choice(of) => of.iter().any(|choice| choice == text).then(|| json!(text)),
        ParamKind::Duration => parse_duration_s(text).map(|seconds| json!(seconds)),
        ParamKind::Size => parse_size(text).map(|bytes| json!(bytes)),
        ParamKind::Reference => {
            text.split_once('@').filter(|(name, version)| !name.is_empty() && !version.is_empty()).map(|_| json!(text))
        }
    }
}

fn expected(kind: &ParamKind) -> (&'static str, &'static str) {
    match kind {
        ParamKind::String => ("text", "文字列"),
        ParamKind::File => ("a path", "パス"),
        ParamKind::Number => ("a number", "数値"),
        ParamKind::Integer => ("a whole number", "整数"),
        ParamKind::Boolean => ("`true` or `false`", "`true` か `false` "),
        ParamKind::Choice(_) => ("one of the choices in `of`", "`of` の選択肢"),
        ParamKind::Duration => ("a duration such as `4h`", "`4h` のような時間"),
        ParamKind::Size => ("a size such as `4 GiB`", "`4 GiB` のような大きさ"),
        ParamKind::Reference => ("`NAME@VERSION`", "`名前@版` "),
    }
}

/// `lanes` → `lane`, `libraries` → `library`.
fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}
