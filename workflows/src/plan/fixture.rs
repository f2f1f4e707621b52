//! Workflows for tests, built by hand: the checker has its own tests.

use std::collections::BTreeMap;

use crate::expression::{Expression, Template};
use crate::workflow::{
    Action, InputKind, InputSpec, Param, ParamKind, Receive, Requirement, Resources, Retry, Step, StepKind, Text, Tool,
    Use, Workflow,
};

pub(crate) fn workflow(steps: Vec<Step>) -> Workflow {
    Workflow {
        id: "test".into(),
        version: "1".into(),
        title: text("Test"),
        owner: None,
        source: String::new(),
        digest: "d".repeat(64),
        path: "test.yaml".into(),
        params: Vec::new(),
        fields: Vec::new(),
        inputs: Vec::new(),
        steps,
        outputs: Vec::new(),
        triggers: Vec::new(),
        calls: BTreeMap::new(),
    }
}

pub(crate) fn text(en: &str) -> Text {
    Text { en: en.into(), ja: None }
}

/// A `receive` step, the smallest kind.
pub(crate) fn step(id: &str) -> Step {
    Step {
        id: id.into(),
        title: text(id),
        after: Vec::new(),
        uses: Vec::new(),
        when: None,
        for_each: Vec::new(),
        max_parallel: None,
        timeout_s: None,
        retry: retry(),
        hold_before: false,
        kind: StepKind::Receive(Receive { require: vec![Requirement::Specimen], use_scope: None }),
        line: 1,
    }
}

fn retry() -> Retry {
    Retry {
        attempts: 1,
        causes: Vec::new(),
        exit_codes: Vec::new(),
        wait_first_ms: 0,
        wait_factor: 1.0,
        wait_max_ms: 0,
        jitter: false,
        escalate_memory: None,
        escalate_timeout: None,
        escalate_disk: None,
    }
}

impl Step {
    pub(crate) fn after(mut self, other: &str) -> Self {
        self.after.push(other.into());
        self
    }

    pub(crate) fn uses(mut self, other: &str) -> Self {
        self.uses.push(Use { step: other.into(), each: false });
        self
    }

    pub(crate) fn uses_each(mut self, other: &str) -> Self {
        self.uses.push(Use { step: other.into(), each: true });
        self
    }

    pub(crate) fn for_each(mut self, name: &str, list: &str) -> Self {
        self.for_each.push((name.into(), Expression::parse(list).expect("a good expression")));
        self
    }

    pub(crate) fn command(mut self) -> Self {
        self.kind = StepKind::Tool(Box::new(Tool {
            action: Action::Command(Vec::<Template>::new()),
            image: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            env: Vec::new(),
            resources: Resources::default(),
            secrets: Vec::new(),
            network: false,
            cache: true,
        }));
        self
    }
}

pub(crate) fn param(name: &str, kind: ParamKind) -> Param {
    Param {
        name: name.into(),
        kind,
        default: None,
        min: None,
        max: None,
        unit: None,
        required: true,
        help: Text::default(),
    }
}

/// `lanes: { type: list, min_items: 1, item: { id, r1, r2 } }`
pub(crate) fn lanes() -> InputSpec {
    let file = |name: &str| (name.to_owned(), true);
    let kind = InputKind::List {
        item: vec![("id".to_owned(), false), file("r1"), file("r2")],
        column: "lane".into(),
        min_items: 1,
    };
    InputSpec { name: "lanes".into(), kind, required: true }
}

/// A specimen by lane with a sex, as the germline workflow has it.
pub(crate) fn by_lane() -> Workflow {
    let mut sex = param("sex", ParamKind::Choice(vec!["female".into(), "male".into(), "unknown".into()]));
    (sex.required, sex.default) = (false, Some("unknown".into()));
    Workflow { fields: vec![sex], inputs: vec![lanes()], ..workflow(vec![step("receive")]) }
}
