//! The seven kinds of steps, and what triggers a workflow; each as its author wrote it, checked.

use crate::expression::{Expression, Template};
use crate::workflow::Text;

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
    /// Labels that its executor must have, all of them.
    pub labels: Vec<String>,
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
    /// As written; key of [`super::Workflow::calls`].
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
