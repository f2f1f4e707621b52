//! Document → workflow, or every mistake at once.
//!
//! Form comes from the grammar; here is meaning: names, types, order, and what the site has. Nothing is run and nothing is read
//! but through `load`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{self, Node, check_form, grammar};
use crate::expression::Expression;
use crate::site::Site;
use crate::workflow::{Step, Workflow};

mod call;
mod checker;
mod fit;
mod gate;
mod infer;
mod names;
mod order;
mod params;
mod people;
mod readers;
mod resolve;
mod retry;
mod scope;
mod script;
mod steps;
#[cfg(test)]
mod tests;
mod tool;
mod triggers;
mod types;

pub use triggers::next_times;

use checker::{Checker, human, owned, text_of};
use scope::Scope;

/// Finds the file that a `call` names: its resolved path and its bytes, or why not.
pub type Load<'a> = dyn Fn(&str) -> Result<(String, Vec<u8>), String> + 'a;

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// Only when there is no error.
    pub workflow: Option<Arc<Workflow>>,
    /// In file order; those of called files after those of the file itself.
    pub diagnostics: Vec<Diagnostic>,
    /// Path → text of every file that was read, for [`crate::diagnostic::render`].
    pub sources: BTreeMap<String, String>,
}

/// Checks the file `source`, which may be any bytes; `load` finds what `call` steps name.
#[must_use]
pub fn check(path: &str, source: &[u8], site: &Site, load: &Load<'_>) -> Checked {
    let (open, done) = (Vec::new(), HashMap::new());
    let mut loader = Loader { load, open, done, findings: Vec::new(), sources: BTreeMap::new() };
    let (workflow, mut diagnostics) = check_file(path, source, site, &mut loader);
    diagnostics.append(&mut loader.findings);
    Checked { workflow, diagnostics, sources: loader.sources }
}

/// Files on the way from the first one down, and those that are done.
struct Loader<'a> {
    load: &'a Load<'a>,
    open: Vec<String>,
    done: HashMap<String, Option<Arc<Workflow>>>,
    findings: Vec<Diagnostic>,
    sources: BTreeMap<String, String>,
}

fn check_file(
    path: &str,
    bytes: &[u8],
    site: &Site,
    loader: &mut Loader<'_>,
) -> (Option<Arc<Workflow>>, Vec<Diagnostic>) {
    let mut document = document::parse(path, bytes);
    loader.sources.insert(path.to_owned(), document.source.clone());
    let mut findings = std::mem::take(&mut document.findings);
    let Some(root) = document.root.take() else { return (None, findings) };
    findings.append(&mut check_form(&document, &root, &grammar::TOP));
    loader.open.push(path.to_owned());
    let mut checker = Checker::new(&document, site);
    let workflow = checker.workflow(&root, loader);
    loader.open.pop();
    findings.append(&mut checker.findings);
    findings.sort_by_key(|found| (found.line, found.column));
    findings.dedup();
    let usable = workflow.filter(|_| !has_errors(&findings));
    (usable.map(Arc::new), findings)
}

/// What `defaults` says, as written.
struct Defaults<'n> {
    image: Option<&'n Node>,
    resources: Option<&'n Node>,
    timeout: Option<&'n Node>,
    retry: Option<&'n Node>,
    network: Option<&'n Node>,
}

impl<'n> Defaults<'n> {
    fn of(root: &'n Node) -> Self {
        let get = |key: &str| root.get("defaults").and_then(|defaults| defaults.get(key));
        let (image, resources, timeout) = (get("image"), get("resources"), get("timeout"));
        Self { image, resources, timeout, retry: get("retry"), network: get("network") }
    }
}

impl Checker<'_> {
    fn workflow(&mut self, root: &Node, loader: &mut Loader<'_>) -> Option<Workflow> {
        let specimen = root.get("specimen");
        let part = |key: &str| specimen.and_then(|specimen| specimen.get(key));
        let (params, fields) = (self.params(root.get("params")), self.params(part("fields")));
        let inputs = self.specimen_inputs(part("inputs"));
        if let Some(specimen) = specimen {
            self.specimen_names(specimen);
        }
        self.names.declare(&params, &fields, &inputs);
        let nothing = Node { content: document::Content::Map(Vec::new()), span: 0..0 };
        let steps = root.get("steps").unwrap_or(&nothing);
        self.called = self.load_calls(steps, loader);
        let called = std::mem::take(&mut self.called);
        self.names.outline(self.document, steps, &called);
        self.called = called;
        let steps = self.steps(root, steps);
        let outputs = self.results(root.get("outputs"));
        self.cycles(&steps);
        self.unused_outputs(&steps, root.get("outputs").is_some());
        let triggers = self.later(root);
        let id = owned(root, "workflow")?;
        let source = self.document.source.clone();
        Some(Workflow {
            version: text_of(root, "version").unwrap_or("").to_owned(),
            title: human(root.get("title"), &id),
            owner: owned(root, "owner"),
            digest: sha256(&source),
            source,
            path: self.document.path.clone(),
            params,
            fields,
            inputs,
            steps,
            outputs,
            triggers,
            calls: std::mem::take(&mut self.called).into_iter().collect(),
            id,
        })
    }

    fn steps(&mut self, root: &Node, steps: &Node) -> Vec<Step> {
        if root
            .get("steps")
            .is_some_and(|steps| matches!(&steps.content, document::Content::Map(entries) if entries.is_empty()))
        {
            let (en, ja) = ("a workflow has at least one step", "ワークフローには少なくとも 1 つのステップが必要です");
            self.note(Diagnostic::error("K011", en, ja), steps.span.clone());
        }
        let defaults = Defaults::of(root);
        if let Some(image) = defaults.image
            && let Some(text) = image.text()
        {
            self.image(text, image.span.clone());
        }
        let entries = steps.entries().iter().enumerate();
        entries.filter_map(|(at, entry)| self.step(at, entry, &defaults)).collect()
    }

    /// `outputs:` what a `call` gives back.
    fn results(&mut self, node: Option<&Node>) -> Vec<(String, Expression)> {
        let mut results = Vec::new();
        for entry in node.map(Node::entries).unwrap_or_default() {
            let read = Scope::new(self, None).expression(&entry.value, false);
            results.extend(read.map(|(expression, _)| (entry.key.to_string(), expression)));
        }
        results
    }

    /// Keys that this version checks but does not obey.
    fn later(&mut self, root: &Node) -> Vec<crate::workflow::Trigger> {
        if let Some(entry) = root.entry("notify") {
            self.no_effect("notify", entry.key_span.clone());
        }
        self.triggers(root.get("triggers"))
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
