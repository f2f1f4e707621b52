//! `gate` steps: metrics, comparisons, units.

use super::checker::{flag, owned, text_of, texts};
use super::readers;
use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Node};
use crate::expression::{Expression, Part, Template};
use crate::workflow::{Check, Gate, IfVerdict, Missing, Read};

const COMPARATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

impl Scope<'_, '_> {
    pub(super) fn gate(&mut self, node: &Node) -> Option<Gate> {
        let entries = node.get("read").map(Node::entries).unwrap_or_default();
        let read: Vec<(String, Read)> =
            entries.iter().filter_map(|entry| Some((entry.key.to_string(), self.read(entry)?))).collect();
        let items = node.get("checks").map(Node::items).unwrap_or_default();
        let checks: Vec<Check> = items.iter().filter_map(|item| self.check(item, entries)).collect();
        let track = self.track(node, entries);
        if items.is_empty()
            && let Some(empty) = node.get("checks")
        {
            let (en, ja) = ("a gate compares at least one metric", "ゲートには少なくとも 1 つの判定が必要です");
            self.checker.note(Diagnostic::error("K065", en, ja), empty.span.clone());
        }
        self.unread(entries, items, &track);
        let complete = read.len() == entries.len() && checks.len() == items.len();
        let (if_warn, if_fail) =
            (action(node, "if_warn", IfVerdict::Continue), action(node, "if_fail", IfVerdict::Hold));
        complete.then_some(Gate { read, checks, if_warn, if_fail, track })
    }

    fn read(&mut self, entry: &Entry) -> Option<Read> {
        let node = &entry.value;
        let if_made = flag(node, "if_made", false);
        let place = node.get("from")?;
        let (from, kind) = self.expression(place, if_made)?;
        if !kind.is_files() {
            self.mismatch(place, &kind, ("a file or a list of files", "ファイルかそのリスト"), ("", ""));
        }
        let combine = node.entry("combine");
        let listed = matches!(kind, Type::List(_));
        if listed && combine.is_none() {
            let (en, ja) = (
                "a metric of a list needs `combine` for its headline",
                "リストの指標には代表値を決める `combine` が必要です",
            );
            self.checker.note(
                Diagnostic::error("K063", en, ja).help("one of: min, max, mean, sum", "min、max、mean、sum のいずれか"),
                entry.key_span.clone(),
            );
        } else if let Some(combine) = combine.filter(|_| !listed && kind != Type::Any) {
            let (en, ja) = (
                "`combine` is for a list, but this is one file",
                "`combine` はリスト用ですが、これは 1 つのファイルです",
            );
            self.checker.note(Diagnostic::error("K063", en, ja), combine.key_span.clone());
        }
        self.source(entry);
        Some(Read {
            from,
            at: owned(node, "at"),
            reader: owned(node, "reader"),
            metric: owned(node, "metric"),
            combine: owned(node, "combine"),
            unit: owned(node, "unit"),
            if_made,
            contigs: texts(node, "contigs"),
        })
    }

    /// Either a place in JSON, or a reader with its metric.
    fn source(&mut self, entry: &Entry) {
        let node = &entry.value;
        match (node.get("at"), text_of(node, "reader")) {
            (Some(at), None) => self.place_in_json(at),
            (None, Some(reader)) => self.reader(entry, reader),
            _ => {
                let (en, ja) = (
                    "a metric is read either `at` a place of JSON, or with a `reader`",
                    "指標は JSON の場所 `at` か、`reader` のどちらか一方で読みます",
                );
                self.checker.note(Diagnostic::error("K062", en, ja), entry.key_span.clone());
            }
        }
    }

    fn place_in_json(&mut self, at: &Node) {
        let text = at.text().unwrap_or("");
        if !(text.starts_with('/') || text.starts_with("$.") || text.starts_with("$[")) {
            let (en, ja) = ("this is neither a JSON pointer nor a path", "JSON ポインターでもパスでもありません");
            let found = Diagnostic::error("K062", en, ja).help(
                "write: /summary/q30_rate or $.summary.q30_rate",
                "こう書きます: /summary/q30_rate または $.summary.q30_rate",
            );
            self.checker.note(found, at.span.clone());
        }
    }

    fn reader(&mut self, entry: &Entry, reader: &str) {
        let node = &entry.value;
        if let Some(contigs) = node.entry("contigs").filter(|_| !readers::takes_contigs(reader)) {
            let found = Diagnostic::error(
                "K062",
                format!("`{reader}` knows no contigs"),
                format!("`{reader}` にコンティグはありません"),
            );
            self.checker.note(found, contigs.key_span.clone());
        }
        let Some(metric) = node.get("metric") else {
            let found = Diagnostic::error("K062", "`reader` needs a `metric`", "`reader` には `metric` が必要です");
            let found = match readers::metrics(reader) {
                Some(known) => {
                    found.help(format!("one of: {}", known.join(", ")), format!("選択肢: {}", known.join(", ")))
                }
                None => found,
            };
            self.checker.note(found, entry.key_span.clone());
            return;
        };
        let name = metric.text().unwrap_or("");
        let elsewhere = reader == "fastp" && name.starts_with(['/', '$']);
        if let Some(known) = readers::metrics(reader)
            && !known.contains(&name)
            && !elsewhere
        {
            let found = Diagnostic::error(
                "K062",
                format!("`{reader}` has no metric `{name}`"),
                format!("`{reader}` に指標 `{name}` はありません"),
            )
            .help(format!("one of: {}", known.join(", ")), format!("選択肢: {}", known.join(", ")));
            self.checker.note_unknown(found, name, known, metric.span.clone());
        }
    }

    fn check(&mut self, node: &Node, read: &[Entry]) -> Option<Check> {
        let metric = node.get("metric")?;
        self.known_metric(metric, read);
        let unit = metric.text().and_then(|name| unit_of(read, name)).map(str::to_owned);
        let pass = node.get("pass").and_then(|pass| self.comparison(pass, unit.as_deref()));
        let warn = node.get("warn").and_then(|warn| self.comparison(warn, unit.as_deref()));
        let applies = node.get("applies").and_then(|applies| self.boolean(applies)).map(|(expression, _)| expression);
        let missing = match text_of(node, "missing")? {
            "pass" => Missing::Pass,
            "warn" => Missing::Warn,
            "fail" => Missing::Fail,
            _ => Missing::NotMeasured,
        };
        Some(Check { metric: metric.text()?.to_owned(), pass: pass?, warn, missing, applies })
    }

    fn known_metric(&mut self, node: &Node, read: &[Entry]) {
        let Some(name) = node.text() else { return };
        if read.iter().any(|entry| &*entry.key == name) {
            return;
        }
        let known: Vec<&str> = read.iter().map(|entry| &*entry.key).collect();
        let found = Diagnostic::error(
            "K060",
            format!("this gate reads no metric `{name}`"),
            format!("このゲートは指標 `{name}` を読んでいません"),
        );
        let listed = known.join(", ");
        let found = found.help(format!("it reads: {listed}"), format!("読んでいるもの: {listed}"));
        self.checker.note_unknown(found, name, &known, node.span.clone());
    }

    /// `>= 30`, the number written or one expression.
    fn comparison(&mut self, node: &Node, unit: Option<&str>) -> Option<Template> {
        let (template, _) = self.template(node, false)?;
        let text = node.text()?.trim();
        let comparator = COMPARATORS.into_iter().find(|comparator| text.starts_with(comparator));
        let operand = comparator.map(|comparator| text[comparator.len()..].trim());
        let form = match (operand, template.parts.as_slice()) {
            (Some(number), [Part::Text(_)]) => number.parse::<f64>().is_ok_and(f64::is_finite),
            (Some(_), [Part::Text(before), Part::Expression(expression)]) => {
                self.numeric(node, expression);
                self.same_unit(node, expression, unit);
                Some(before.trim()) == comparator
            }
            _ => false,
        };
        if !form {
            let (en, ja) = ("this is not a comparison with a number", "数値との比較になっていません");
            let found = Diagnostic::error("K061", en, ja).help(
                "one of >= <= > < == !=, then a number: \">= 30\", \">= ${{ params.min_depth }}\"",
                ">= <= > < == != のいずれかと数値を書きます: \">= 30\"、\">= ${{ params.min_depth }}\"",
            );
            self.checker.note(found, node.span.clone());
        }
        Some(template)
    }

    fn numeric(&mut self, node: &Node, expression: &Expression) {
        // The template has told what is wrong inside; a second look must not tell it again.
        let before = self.checker.findings.len();
        let kind = self.infer(expression.tree(), false);
        self.checker.findings.truncate(before);
        if !kind.is_number() {
            self.mismatch(node, &kind, ("a number", "数値"), ("", ""));
        }
    }

    /// A parameter's unit must be the metric's: 30 x is not 30 %.
    fn same_unit(&mut self, node: &Node, expression: &Expression, unit: Option<&str>) {
        for path in &expression.references {
            let [root, name] = path.as_slice() else { continue };
            let theirs = self.checker.names.units.get(name).filter(|_| root == "params").cloned();
            if let (Some(theirs), Some(ours)) = (theirs, unit)
                && theirs != ours
            {
                let found = Diagnostic::error(
                    "K064",
                    format!("`params.{name}` is in {theirs}, the metric in {ours}"),
                    format!("`params.{name}` の単位は {theirs}、指標の単位は {ours} です"),
                );
                self.checker.note(found, node.span.clone());
            }
        }
    }

    fn track(&mut self, node: &Node, read: &[Entry]) -> Vec<String> {
        let items = node.get("track").map(Node::items).unwrap_or_default();
        items.iter().for_each(|item| self.known_metric(item, read));
        texts(node, "track")
    }

    fn unread(&mut self, read: &[Entry], checks: &[Node], track: &[String]) {
        for entry in read {
            let compared = checks.iter().any(|check| text_of(check, "metric") == Some(&*entry.key));
            if !compared && !track.iter().any(|name| **name == *entry.key) {
                let found = Diagnostic::warning(
                    "K065",
                    format!("`{}` is read, but neither compared nor tracked", entry.key),
                    format!("`{}` は読まれますが、判定にも管理図にも使われません", entry.key),
                );
                self.checker.note(found, entry.key_span.clone());
            }
        }
    }
}

fn unit_of<'n>(read: &'n [Entry], name: &str) -> Option<&'n str> {
    let entry = read.iter().find(|entry| &*entry.key == name)?;
    text_of(&entry.value, "unit")
}

fn action(node: &Node, key: &str, absent: IfVerdict) -> IfVerdict {
    match text_of(node, key) {
        Some("continue") => IfVerdict::Continue,
        Some("hold") => IfVerdict::Hold,
        Some("fail") => IfVerdict::Fail,
        _ => absent,
    }
}
