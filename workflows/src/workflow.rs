//! A workflow that passed every check: names resolve, types fit, order is acyclic.
//!
//! Built by `check` only. It holds templates and expressions unevaluated; `plan` and the engine give them values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expression::{Expression, Template};
use crate::value::Value;

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

/// The seven kinds.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum StepKind {
    Receive(Receive),
    Tool(Box<Tool>),
    Gate(Gate),
    Approve(Approve),
    Handoff(Handoff),
    Call(Call),
}

/// `receive:`
#[derive(Clone, Debug)]
pub struct Receive {
    /// What must be there.
    pub require: Vec<Requirement>,
    /// The consent scope this run is for.
    pub use_scope: Option<String>,
}

/// What `receive.require` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum Requirement {
    Specimen,
    Consent,
    Checksums,
    Sheet,
}

/// `script:` or `command:`.
#[derive(Debug)]
pub struct Tool {
    /// What is run.
    pub action: Action,
    /// Image as written (tag or digest); defaults applied.
    pub image: Option<String>,
    /// In file order.
    pub inputs: Vec<(String, Input)>,
    /// In file order.
    pub outputs: Vec<(String, Output)>,
    /// In file order.
    pub env: Vec<(String, Template)>,
    /// Defaults applied.
    pub resources: Resources,
    /// Variable-safe name → site secret.
    pub secrets: Vec<(String, String)>,
    /// Asks for a network.
    pub network: bool,
    /// May a later run reuse its outputs?
    pub cache: bool,
}

/// What a tool step runs.
#[derive(Debug)]
pub enum Action {
    /// Text given to the shell as it is.
    Script {
        /// `sh` or `bash`.
        shell: String,
        /// The script, never interpolated.
        text: String,
    },
    /// An argument vector; an item that evaluates to a list becomes several arguments.
    Command(Vec<Template>),
}

/// `inputs.X`
#[derive(Debug)]
pub struct Input {
    /// `"${{ … }}"`, or `from:` as a template of one expression.
    pub value: Template,
    /// May be absent.
    pub optional: bool,
}

/// `outputs.X`
#[derive(Debug)]
pub struct Output {
    /// Path beneath the working directory (`path`) or glob pattern (`glob`).
    pub path: Template,
    /// `glob:` was written: a list of files.
    pub glob: bool,
    /// Declared format.
    pub format: Option<Format>,
    /// May be absent.
    pub optional: bool,
    /// A directory.
    pub dir: bool,
    /// `keep:` false lets retention drop it after the run.
    pub keep: bool,
    /// `checksum:` additional checksum wanted beside SHA-256 (`md5`).
    pub checksum: Option<String>,
}

/// `format:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the formats' own")]
pub enum Format {
    Bam,
    Cram,
    VcfGz,
    Bcf,
    FastqGz,
    Json,
    Text,
}

/// `resources:` as templates (numbers, sizes, or expressions); `None`: the site decides.
#[derive(Debug, Default)]
pub struct Resources {
    /// Cores.
    pub cpus: Option<Template>,
    /// `4 GiB`, or bytes.
    pub memory: Option<Template>,
    /// `20 GiB`, or bytes.
    pub disk: Option<Template>,
    /// Count.
    pub gpus: Option<Template>,
}

/// `gate:`
#[derive(Debug)]
pub struct Gate {
    /// Metric name → where it is read.
    pub read: Vec<(String, Read)>,
    /// In order.
    pub checks: Vec<Check>,
    /// On `warn`.
    pub if_warn: IfVerdict,
    /// On `fail` or `not_measured`.
    pub if_fail: IfVerdict,
    /// Metrics for control charts.
    pub track: Vec<String>,
}

/// `gate.read.X`
#[derive(Debug)]
pub struct Read {
    /// A file, or a list of files (`.all.`).
    pub from: Expression,
    /// JSON pointer (`/a/b`) or path (`$.a.b`).
    pub at: Option<String>,
    /// Built-in reader.
    pub reader: Option<String>,
    /// The reader's metric.
    pub metric: Option<String>,
    /// Headline over a list: `min`, `max`, `mean`, `sum`.
    pub combine: Option<String>,
    /// Unit of the value.
    pub unit: Option<String>,
    /// The file may not have been made.
    pub if_made: bool,
    /// Only these contigs count (coverage readers).
    pub contigs: Vec<String>,
}

/// One line of `gate.checks`.
#[derive(Debug)]
pub struct Check {
    /// Metric that is compared.
    pub metric: String,
    /// Renders to a comparison, `>= 0.85`.
    pub pass: Template,
    /// Likewise, weaker.
    pub warn: Option<Template>,
    /// Verdict when the metric is missing.
    pub missing: Missing,
    /// The check counts only when true.
    pub applies: Option<Expression>,
}

/// `missing:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum Missing {
    Pass,
    Warn,
    Fail,
    NotMeasured,
}

/// `if_warn`, `if_fail`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own words")]
pub enum IfVerdict {
    Continue,
    Hold,
    Fail,
}

/// `approve:`
#[derive(Debug)]
pub struct Approve {
    /// Any of these roles may answer.
    pub roles: Vec<String>,
    /// How many people.
    pub count: u32,
    /// Relations that exclude a person: submitter, approver, previous_decider.
    pub not_by: Vec<String>,
    /// The question.
    pub ask: Text,
    /// What the answer binds to.
    pub show: Vec<Expression>,
    /// Seconds.
    pub expires_s: Option<u64>,
    /// Fail instead of hold when expired.
    pub fail_if_expired: bool,
}

/// `handoff:`
#[derive(Debug)]
pub struct Handoff {
    /// Target name.
    pub to: Template,
    /// Files that must be there.
    pub files: Vec<Template>,
    /// Files that may have been skipped.
    pub files_if_made: Vec<Template>,
    /// `crypt4gh` or `none`.
    pub encrypt: Option<String>,
    /// A receipt is wanted.
    pub receipt_required: bool,
    /// Seconds.
    pub receipt_within_s: Option<u64>,
    /// `notify`, `hold`, `fail` as written.
    pub receipt_if_late: Option<String>,
}

/// `call:`
#[derive(Debug)]
pub struct Call {
    /// As written; key of [`Workflow::calls`].
    pub workflow: String,
    /// Its parameters.
    pub with: Vec<(String, Template)>,
    /// Its specimen inputs; those not named are passed on when the names agree.
    pub inputs: Vec<(String, Template)>,
}

/// `triggers:` items.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the language's own words")]
pub enum Trigger {
    RunFolder { root: String, ready_when: Vec<String>, settle_s: u64, every_s: u64 },
    Schedule { cron: String, timezone: String, if_missed: String, specimen: Option<String> },
    Api,
}

impl Workflow {
    /// The step named `id`.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}
