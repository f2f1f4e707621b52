//! A workflow that passed every check: names resolve, types fit, order is acyclic.
//!
//! Built by `check` only. It holds templates and expressions unevaluated; `plan` and the engine give them values.

mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expression::Expression;
use crate::value::Value;

pub use kinds::*;

/// A human text in the languages its author wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// English, or the only text given.
    pub en: String,
    /// Japanese, when given.
    pub ja: Option<String>,
}

/// One checked file.
#[derive(Debug)]
pub struct Workflow {
    /// `workflow:`
    pub id: String,
    /// `version:`, empty when absent.
    pub version: String,
    /// `title:`; the id when absent.
    pub title: Text,
    /// `owner:`
    pub owner: Option<String>,
    /// The file's text, byte for byte.
    pub source: String,
    /// Lowercase hex SHA-256 of `source`.
    pub digest: String,
    /// The path it was read from, as given.
    pub path: String,
    /// In file order.
    pub params: Vec<Param>,
    /// `specimen.fields`, in file order (same shape as params).
    pub fields: Vec<Param>,
    /// `specimen.inputs`, in file order.
    pub inputs: Vec<InputSpec>,
    /// In file order.
    pub steps: Vec<Step>,
    /// `outputs:` what a `call` gives back.
    pub outputs: Vec<(String, Expression)>,
    /// `triggers:`
    pub triggers: Vec<Trigger>,
    /// Workflows that `call` steps name, by the name written there.
    pub calls: BTreeMap<String, Arc<Workflow>>,
}

/// A parameter or specimen field.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParamKind,
    /// The value when none is given. Durations are seconds and sizes bytes (numbers); references `NAME@VERSION`.
    pub default: Option<Value>,
    /// Smallest number allowed.
    pub min: Option<f64>,
    /// Largest number allowed.
    pub max: Option<f64>,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Must be given (no default).
    pub required: bool,
    /// Help for people.
    pub help: Text,
}

/// `type:` of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum ParamKind {
    String,
    Number,
    Integer,
    Boolean,
    Choice(Vec<String>),
    File,
    Duration,
    Size,
    Reference,
}

/// `specimen.inputs.X`.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// One file, or a list of items.
    pub kind: InputKind,
    /// The specimen cannot run without it.
    pub required: bool,
}

/// Shape of a specimen's input.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// One file.
    File,
    /// Rows of the sheet.
    List {
        /// Item fields in file order: name and whether it is a file (else text); `id` is always there and text.
        item: Vec<(String, bool)>,
        /// Sheet column that holds the item's `id`.
        column: String,
        /// Fewest items.
        min_items: usize,
    },
}

/// One node.
#[derive(Debug)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// The id when absent.
    pub title: Text,
    /// Steps named by `after`.
    pub after: Vec<String>,
    /// Steps whose data is used, found in every place of the step (deduplicated).
    pub uses: Vec<Use>,
    /// Runs only when true.
    pub when: Option<Expression>,
    /// Loop name → list; empty: runs once.
    pub for_each: Vec<(String, Expression)>,
    /// At most so many items at once.
    pub max_parallel: Option<u32>,
    /// Seconds.
    pub timeout_s: Option<u64>,
    /// What to do about failures.
    pub retry: Retry,
    /// Wait for a person's `resume` before the first attempt.
    pub hold_before: bool,
    /// What it does.
    pub kind: StepKind,
    /// 1-based line of its key in the file.
    pub line: usize,
}

/// How a step uses another's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The other step.
    pub step: String,
    /// `steps.x.each.…`: the matching item only.
    pub each: bool,
}

/// `retry:`, with the language's defaults filled in (`attempts: 1` when absent).
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Causes that are worth another attempt.
    pub causes: Vec<RetryCause>,
    /// Exit codes for which `tool` failures are retried (also implied by naming codes alone).
    pub exit_codes: Vec<i32>,
    /// First wait, ms.
    pub wait_first_ms: u64,
    /// Multiplier per attempt.
    pub wait_factor: f64,
    /// Longest wait, ms.
    pub wait_max_ms: u64,
    /// Spread waits randomly over 50 to 100 %.
    pub jitter: bool,
    /// Memory multiplier per out-of-memory attempt.
    pub escalate_memory: Option<f64>,
    /// Timeout multiplier per timed-out attempt.
    pub escalate_timeout: Option<f64>,
    /// Disk multiplier.
    pub escalate_disk: Option<f64>,
}

/// What `retry.causes` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum RetryCause {
    Tool,
    OutOfMemory,
    Timeout,
    BadOutput,
}

impl Workflow {
    /// The step named `id`.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}
