//! Steps: what every kind has, and which kind it is.

use std::collections::HashSet;
use std::ops::Range;

use super::Defaults;
use super::checker::{Checker, flag, human, number};
use super::resolve::dotted;
use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::grammar::{KINDS, TOOL_KEYS};
use crate::document::{Entry, Node};
use crate::expression::{Expression, Tree};
use crate::workflow::{Receive, Requirement, Step, StepKind};

impl Checker<'_> {
    /// The step under `entry`, the `at`-th of the file.
    pub(super) fn step(&mut self, at: usize, entry: &Entry, defaults: &Defaults<'_>) -> Option<Step> {
        let node = &entry.value;
        let kind = self.kind(entry)?;
        let after = self.after(node);
        let retry = node.get("retry").or(defaults.retry).map_or_else(super::retry::no_retry, |node| self.retry(node));
        let timeout_s = self.timeout(node.get("timeout").or(defaults.timeout));
        let line = self.names.steps[at].line;
        let mut scope = Scope::new(self, Some(at));
        let for_each = scope.for_each(node.get("for_each"));
        let when = scope.when(node.get("when"));
        let kind = scope.kind(kind, entry, defaults)?;
        let uses = scope.uses;
        Some(Step {
            id: entry.key.to_string(),
            title: human(node.get("title"), &entry.key),
            after,
            uses,
            when,
            for_each,
            max_parallel: number(node, "max_parallel"),
            timeout_s,
            retry,
            hold_before: flag(node, "hold_before", false),
            kind,
            line,
        })
    }

    /// The one kind that is written; keys that belong to another are told.
    fn kind(&mut self, entry: &Entry) -> Option<&'static str> {
        let node = &entry.value;
        let written: Vec<&'static str> = KINDS.into_iter().filter(|kind| node.get(kind).is_some()).collect();
        let [kind] = written.as_slice() else {
            self.note(kinds(&written), entry.key_span.clone());
            return None;
        };
        let tool = matches!(*kind, "script" | "command");
        let foreign = node.entries().iter().filter(|entry| !tool && TOOL_KEYS.contains(&&*entry.key));
        for key in foreign {
            let name = &key.key;
            let found = Diagnostic::error(
                "K020",
                format!("`{name}` does not belong to `{kind}`"),
                format!("`{name}` は `{kind}` には書けません"),
            )
            .help("only `script` and `command` take it", "`script` と `command` だけで使えます");
            self.note(found, key.key_span.clone());
        }
        for key in node.entries().iter().filter(|entry| *kind == "command" && &*entry.key == "shell") {
            let (en, ja) = ("`command` has no shell", "`command` にはシェルがありません");
            self.note(Diagnostic::error("K020", en, ja), key.key_span.clone());
        }
        Some(kind)
    }

    fn after(&mut self, node: &Node) -> Vec<String> {
        let mut after: Vec<String> = Vec::new();
        for item in node.get("after").map(Node::items).unwrap_or_default() {
            let Some(id) = item.text() else { continue };
            self.existing_step(id, item.span.clone());
            if !after.iter().any(|known| known == id) {
                after.push(id.to_owned());
            }
        }
        after
    }

    fn existing_step(&mut self, id: &str, span: Range<usize>) {
        if self.names.step(id).is_none() {
            let found = Diagnostic::error(
                "K012",
                format!("step `{id}` does not exist"),
                format!("ステップ `{id}` はありません"),
            );
            let names = self.names.step_ids();
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            self.note_unknown(found, id, &known, span);
        }
    }
}

fn kinds(written: &[&str]) -> Diagnostic {
    let listed = KINDS.join(", ");
    let (en, ja) = match written {
        [] => ("this step does nothing".to_owned(), "このステップには種類がありません".to_owned()),
        several => {
            let several = several.join(", ");
            (
                format!("this step is several things at once: {several}"),
                format!("このステップには種類が複数あります: {several}"),
            )
        }
    };
    Diagnostic::error("K020", en, ja)
        .help(format!("exactly one of: {listed}"), format!("次のうちちょうど 1 つ: {listed}"))
}

impl Scope<'_, '_> {
    fn for_each(&mut self, node: Option<&Node>) -> Vec<(String, Expression)> {
        let mut lists = Vec::new();
        let mut loops = Vec::new();
        for entry in node.map(Node::entries).unwrap_or_default() {
            let value = entry.value.get("from").unwrap_or(&entry.value);
            let Some((expression, kind)) = self.expression(value, false) else { continue };
            let item = match kind {
                Type::List(item) => *item,
                Type::Json | Type::Any => Type::Any,
                other => {
                    self.not_a_list(value, &other);
                    Type::Any
                }
            };
            loops.push((entry.key.to_string(), item));
            lists.push((entry.key.to_string(), expression));
        }
        // Loop names see nothing of one another: each list stands on its own.
        self.loops = loops;
        lists
    }

    fn not_a_list(&mut self, node: &Node, kind: &Type) {
        let (en, ja) = kind.words();
        let found = Diagnostic::error(
            "K023",
            format!("`for_each` needs a list, but this is {en}"),
            format!("`for_each` にはリストが必要ですが、これは{ja}です"),
        )
        .help(
            "a list of the specimen (specimen.lanes), an output with `glob`, a JSON file, or ['chr1', 'chr2']",
            "検体のリスト (specimen.lanes)、`glob` の出力、JSON ファイル、または ['chr1', 'chr2']",
        );
        self.checker.note(found, node.span.clone());
    }

    fn when(&mut self, node: Option<&Node>) -> Option<Expression> {
        let (expression, kind) = self.boolean(node?)?;
        self.asked = expression.tree().paths().into_iter().map(dotted).collect::<HashSet<_>>();
        if kind == Type::Boolean && !expression.text.is_empty() && is_constant(expression.tree()) {
            let truth = expression.evaluate(&crate::value::Map::new()).ok();
            let found = match truth {
                Some(crate::value::Value::Bool(true)) => {
                    Diagnostic::warning("K043", "this is always true", "これは常に真です")
                }
                _ => Diagnostic::warning("K043", "this step never runs", "このステップは決して実行されません"),
            };
            self.checker.note(found, node?.span.clone());
        }
        Some(expression)
    }

    /// An expression that must be true or false.
    pub(super) fn boolean(&mut self, node: &Node) -> Option<(Expression, Type)> {
        let (expression, kind) = self.expression(node, false)?;
        if !kind.is_boolean() {
            let (en, ja) = kind.words();
            let found = Diagnostic::error(
                "K025",
                format!("this must be true or false, but it is {en}"),
                format!("真偽値が必要ですが、これは{ja}です"),
            )
            .help(format!("compare it: {} == …", expression.text), format!("比較します: {} == …", expression.text));
            self.checker.note(found, node.span.clone());
        }
        Some((expression, kind))
    }

    fn kind(&mut self, kind: &'static str, entry: &Entry, defaults: &Defaults<'_>) -> Option<StepKind> {
        let node = &entry.value;
        let own = node.get(kind)?;
        match kind {
            "receive" => Some(StepKind::Receive(receive(own))),
            "gate" => self.gate(own).map(StepKind::Gate),
            "approve" => self.approve(own).map(StepKind::Approve),
            "handoff" => self.handoff(own).map(StepKind::Handoff),
            "call" => self.call(own).map(StepKind::Call),
            _ => self.tool(entry, defaults).map(|tool| StepKind::Tool(Box::new(tool))),
        }
    }
}

fn is_constant(tree: &Tree) -> bool {
    tree.paths().is_empty()
}

fn receive(node: &Node) -> Receive {
    let requirement = |text: String| match text.as_str() {
        "specimen" => Some(Requirement::Specimen),
        "consent" => Some(Requirement::Consent),
        "checksums" => Some(Requirement::Checksums),
        "sheet" => Some(Requirement::Sheet),
        _ => None,
    };
    let require = super::checker::texts(node, "require").into_iter().filter_map(requirement).collect();
    Receive { require, use_scope: super::checker::owned(node, "use") }
}
