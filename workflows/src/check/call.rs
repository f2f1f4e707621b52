//! `call` steps: another workflow, its params and its inputs.

use std::collections::HashMap;
use std::sync::Arc;

use super::Loader;
use super::checker::{Checker, text_of};
use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{Entry, Node};
use crate::workflow::{Call, InputKind, ParamKind, Workflow};

/// Calls within calls.
const CALLS_DEPTH_MAX: usize = 16;

impl Checker<'_> {
    /// Loads and checks every workflow that a `call` step names.
    pub(super) fn load_calls(&mut self, steps: &Node, loader: &mut Loader<'_>) -> HashMap<String, Arc<Workflow>> {
        let mut called = HashMap::new();
        let calls = steps.entries().iter().filter_map(|entry| entry.value.get("call")?.get("workflow"));
        for node in calls {
            let Some(name) = node.text() else { continue };
            if called.contains_key(name) {
                continue;
            }
            match self.load_call(name, loader) {
                Ok(workflow) => {
                    called.insert(name.to_owned(), workflow);
                }
                Err(found) => self.note(*found, node.span.clone()),
            }
        }
        called
    }

    fn load_call(&mut self, name: &str, loader: &mut Loader<'_>) -> Result<Arc<Workflow>, Box<Diagnostic>> {
        let wanted = relative_to(&self.document.path, name, loader.open.len());
        let (path, bytes) = (loader.load)(&wanted).map_err(|reason| Box::new(not_found(name, &reason)))?;
        if let Some(from) = loader.open.iter().position(|open| *open == path) {
            return Err(Box::new(cycle(&loader.open[from..], &path)));
        }
        if loader.open.len() >= CALLS_DEPTH_MAX {
            return Err(Box::new(too_deep()));
        }
        let checked = match loader.done.get(&path) {
            Some(done) => done.clone(),
            None => {
                let (workflow, findings) = super::check_file(&path, &bytes, self.site, loader);
                let usable = workflow.filter(|_| !has_errors(&findings));
                loader.findings.extend(findings);
                loader.done.insert(path.clone(), usable.clone());
                usable
            }
        };
        checked.ok_or_else(|| Box::new(has_mistakes(name, &path)))
    }
}

/// The first file's names are the loader's business; below, a path is relative to the file that names it.
fn relative_to(path: &str, name: &str, depth: usize) -> String {
    let is_path = name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml");
    match path.rsplit_once('/') {
        Some((directory, _)) if depth > 1 && is_path && !name.starts_with('/') => format!("{directory}/{name}"),
        _ => name.to_owned(),
    }
}

fn not_found(name: &str, reason: &str) -> Diagnostic {
    Diagnostic::error(
        "K070",
        format!("workflow `{name}` cannot be read: {reason}"),
        format!("ワークフロー `{name}` を読めません: {reason}"),
    )
}

fn cycle(open: &[String], path: &str) -> Diagnostic {
    let shown = open.iter().map(String::as_str).chain([path]).collect::<Vec<_>>().join(" → ");
    Diagnostic::error(
        "K072",
        format!("these workflows call one another: {shown}"),
        format!("ワークフローが互いを呼び出しています: {shown}"),
    )
}

fn too_deep() -> Diagnostic {
    let (en, ja) = ("calls are nested too deeply", "呼び出しの入れ子が深すぎます");
    Diagnostic::error("K072", en, ja)
}

fn has_mistakes(name: &str, path: &str) -> Diagnostic {
    Diagnostic::error(
        "K071",
        format!("workflow `{name}` has mistakes of its own"),
        format!("ワークフロー `{name}` に誤りがあります"),
    )
    .help(format!("see {path}"), format!("{path} を見てください"))
}

impl Scope<'_, '_> {
    pub(super) fn call(&mut self, node: &Node) -> Option<Call> {
        let name = text_of(node, "workflow")?.to_owned();
        // Without the other workflow there is nothing to compare with; why it is missing has been told.
        let callee = self.checker.called.get(&name).cloned();
        let mut with = Vec::new();
        for entry in node.get("with").map(Node::entries).unwrap_or_default() {
            let Some((template, kind)) = self.template(&entry.value, false) else { continue };
            self.argument(entry, &kind, callee.as_deref());
            with.push((entry.key.to_string(), template));
        }
        let mut inputs = Vec::new();
        for entry in node.get("inputs").map(Node::entries).unwrap_or_default() {
            let Some((template, kind)) = self.template(&entry.value, false) else { continue };
            self.passed(entry, &kind, callee.as_deref());
            inputs.push((entry.key.to_string(), template));
        }
        if let Some(callee) = callee {
            self.complete(node, &callee);
        }
        Some(Call { workflow: name, with, inputs })
    }

    fn argument(&mut self, entry: &Entry, kind: &Type, callee: Option<&Workflow>) {
        let Some(callee) = callee else { return };
        let Some(param) = callee.params.iter().find(|param| param.name == *entry.key) else {
            let known: Vec<&str> = callee.params.iter().map(|param| param.name.as_str()).collect();
            self.unknown_argument(entry, callee, &known);
            return;
        };
        let wanted = Type::of_param(&param.kind);
        let written = matches!(kind, Type::Text) && !matches!(param.kind, ParamKind::File);
        if !kind.meets(&wanted) && !written {
            let (en, ja) = wanted.words();
            self.mismatch(&entry.value, kind, (&en, &ja), ("", ""));
        }
    }

    fn passed(&mut self, entry: &Entry, kind: &Type, callee: Option<&Workflow>) {
        let Some(callee) = callee else { return };
        let Some(input) = callee.inputs.iter().find(|input| input.name == *entry.key) else {
            let known: Vec<&str> = callee.inputs.iter().map(|input| input.name.as_str()).collect();
            self.unknown_argument(entry, callee, &known);
            return;
        };
        let fits = match input.kind {
            InputKind::File => kind.is_file(),
            InputKind::List { .. } => matches!(kind, Type::List(_) | Type::Any),
        };
        if !fits {
            let wanted = if matches!(input.kind, InputKind::File) {
                ("a file", "ファイル")
            } else {
                ("a list", "リスト")
            };
            self.mismatch(&entry.value, kind, wanted, ("", ""));
        }
    }

    fn unknown_argument(&mut self, entry: &Entry, callee: &Workflow, known: &[&str]) {
        let listed = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
        let found = Diagnostic::error(
            "K073",
            format!("workflow `{}` does not take `{}`", callee.id, entry.key),
            format!("ワークフロー `{}` は `{}` を受け取りません", callee.id, entry.key),
        )
        .help(format!("it takes: {listed}"), format!("受け取るもの: {listed}"));
        self.checker.note_unknown(found, &entry.key, known, entry.key_span.clone());
    }

    /// Everything that the other workflow cannot do without is given, or passed on under the same name.
    fn complete(&mut self, node: &Node, callee: &Workflow) {
        let given = |key: &str, name: &str| node.get(key).is_some_and(|map| map.get(name).is_some());
        let mut missing = Vec::new();
        for param in callee.params.iter().filter(|param| param.required && param.default.is_none()) {
            if !given("with", &param.name) {
                missing.push(format!("with.{}", param.name));
            }
        }
        for input in callee.inputs.iter().filter(|input| input.required) {
            if !given("inputs", &input.name) && !self.checker.names.specimen.contains_key(&input.name) {
                missing.push(format!("inputs.{}", input.name));
            }
        }
        if !missing.is_empty() {
            let listed = missing.join(", ");
            let found = Diagnostic::error(
                "K073",
                format!("workflow `{}` also needs: {listed}", callee.id),
                format!("ワークフロー `{}` には {listed} も必要です", callee.id),
            );
            let place = node.get("workflow").unwrap_or(node);
            self.checker.note(found, place.span.clone());
        }
    }
}
