//! Which names a file declares, gathered before any expression is looked at.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::checker::SUGGESTED_FROM_MAX;
use super::types::Type;
use crate::document::grammar::KINDS;
use crate::document::{Document, Node};
use crate::workflow::{InputKind, InputSpec, Param, ParamKind, Workflow};

/// A name with its type.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kind: Type,
    /// The value may be absent.
    pub(super) optional: bool,
}

/// Everything that expressions may name.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) params: BTreeMap<String, Known>,
    pub(super) units: HashMap<String, String>,
    /// Reference parameters with their default bundle.
    pub(super) bundles: HashMap<String, String>,
    pub(super) specimen: BTreeMap<String, Known>,
    pub(super) steps: Vec<Outline>,
    pub(super) step_at: HashMap<String, usize>,
}

/// A step seen from outside.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) id: String,
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    pub(super) outputs: Vec<(String, Output)>,
    output_at: HashMap<String, usize>,
    /// Loop name and list, as written.
    pub(super) loops: Vec<(String, String)>,
    /// `when:` as written.
    pub(super) when: Option<String>,
}

/// A step's output seen from outside.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) kind: Type,
    pub(super) optional: bool,
    /// Of its name, for outputs that somebody should use.
    pub(super) span: Option<Range<usize>>,
}

impl Output {
    fn given(kind: Type) -> Self {
        Self { kind, optional: false, span: None }
    }
}

impl Outline {
    pub(super) fn output(&self, name: &str) -> Option<&Output> {
        let at = self.output_at.get(name)?;
        self.outputs.get(*at).map(|(_, output)| output)
    }
}

/// Columns and facts that every specimen has.
pub(super) const SPECIMEN_FACTS: [&str; 4] = ["id", "participant", "barcode", "priority"];

impl Names {
    /// Adds params and specimen.
    pub(super) fn declare(&mut self, params: &[Param], fields: &[Param], inputs: &[InputSpec]) {
        let param = |param: &Param| {
            let optional = param.default.is_none() && !param.required;
            (param.name.clone(), Known { kind: Type::of_param(&param.kind), optional })
        };
        self.params = params.iter().map(param).collect();
        self.units = params.iter().filter_map(|param| Some((param.name.clone(), param.unit.clone()?))).collect();
        let bundle = |param: &Param| match (&param.kind, &param.default) {
            (ParamKind::Reference, Some(bundle)) => Some((param.name.clone(), bundle.as_str()?.to_owned())),
            _ => None,
        };
        self.bundles = params.iter().filter_map(bundle).collect();
        self.specimen = fields.iter().map(param).collect();
        for input in inputs {
            self.specimen
                .insert(input.name.clone(), Known { kind: input_type(&input.kind), optional: !input.required });
        }
        for fact in SPECIMEN_FACTS {
            let optional = matches!(fact, "participant" | "barcode");
            self.specimen.insert(fact.to_owned(), Known { kind: Type::Text, optional });
        }
    }

    /// Adds the steps of `document`; `called` gives the workflow that a `call` names.
    pub(super) fn outline(&mut self, document: &Document, steps: &Node, called: &HashMap<String, Arc<Workflow>>) {
        for entry in steps.entries() {
            let node = &entry.value;
            let outputs = outputs(node, called);
            let outline = Outline {
                id: entry.key.to_string(),
                line: document.line(entry.key_span.start),
                span: entry.key_span.clone(),
                output_at: outputs.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect(),
                outputs,
                loops: loops(node),
                when: node.get("when").and_then(Node::text).map(|text| text.trim().to_owned()),
            };
            self.step_at.insert(outline.id.clone(), self.steps.len());
            self.steps.push(outline);
        }
    }

    /// Step ids among which a mistyped one is searched.
    pub(super) fn step_ids(&self) -> Vec<String> {
        self.steps.iter().take(SUGGESTED_FROM_MAX).map(|step| step.id.clone()).collect()
    }

    pub(super) fn step(&self, id: &str) -> Option<&Outline> {
        self.step_at.get(id).and_then(|at| self.steps.get(*at))
    }
}

fn input_type(kind: &InputKind) -> Type {
    match kind {
        InputKind::File => Type::File,
        InputKind::List { item, .. } => {
            let field = |(name, file): &(String, bool)| (name.clone(), if *file { Type::File } else { Type::Text });
            Type::List(Box::new(Type::Record(item.iter().map(field).collect())))
        }
    }
}

fn loops(node: &Node) -> Vec<(String, String)> {
    let loops = node.get("for_each").map(Node::entries).unwrap_or_default();
    let list = |value: &Node| value.text().or_else(|| value.get("from")?.text()).unwrap_or("").trim().to_owned();
    loops.iter().map(|entry| (entry.key.to_string(), list(&entry.value))).collect()
}

fn outputs(node: &Node, called: &HashMap<String, Arc<Workflow>>) -> Vec<(String, Output)> {
    let kind = KINDS.into_iter().find(|kind| node.get(kind).is_some());
    match kind {
        Some("gate") => gate_outputs(node),
        Some("handoff") => vec![("delivery".to_owned(), Output::given(Type::Any))],
        Some("call") => {
            let name = node.get("call").and_then(|call| call.get("workflow")).and_then(Node::text);
            let workflow = name.and_then(|name| called.get(name));
            let outputs = workflow.map(|workflow| workflow.outputs.as_slice()).unwrap_or_default();
            outputs.iter().map(|(name, _)| (name.clone(), Output::given(Type::Any))).collect()
        }
        Some("script" | "command") => tool_outputs(node),
        _ => Vec::new(),
    }
}

fn tool_outputs(node: &Node) -> Vec<(String, Output)> {
    let outputs = node.get("outputs").map(Node::entries).unwrap_or_default();
    let output = |entry: &crate::document::Entry| {
        let says = |key: &str, word: &str| entry.value.get(key).and_then(Node::text) == Some(word);
        let file = if says("format", "json") { Type::Json } else { Type::File };
        let kind = if entry.value.get("glob").is_some() { Type::List(Box::new(file)) } else { file };
        let kept = entry.value.get("keep").is_some();
        let span = (!kept).then(|| entry.key_span.clone());
        (entry.key.to_string(), Output { kind, optional: says("optional", "true"), span })
    };
    outputs.iter().map(output).collect()
}

fn gate_outputs(node: &Node) -> Vec<(String, Output)> {
    let metrics = node.get("gate").and_then(|gate| gate.get("read")).map(Node::entries).unwrap_or_default();
    let values: Arc<[(String, Type)]> = metrics.iter().map(|entry| (entry.key.to_string(), Type::Number)).collect();
    let verdicts = ["pass", "warn", "fail", "not_measured"].map(str::to_owned);
    vec![
        ("verdict".to_owned(), Output::given(Type::Choice(verdicts.into()))),
        ("report".to_owned(), Output::given(Type::File)),
        ("values".to_owned(), Output::given(Type::Record(values))),
    ]
}
