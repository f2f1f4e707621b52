//! What a run says about its order line, and the next event on the way there. Pure.

use crate::scheduler::live::{LiveRun, LiveStep};
use crate::scheduler::release::released_by;
use crate::state::order::{Event, Stage};
use crate::state::{run, step};

/// What a run says about its order line.
#[derive(Debug, Default)]
pub(super) struct Said {
    at: Option<Stage>,
    pub(super) step: String,
    pub(super) reason: String,
    pub(super) person: Option<String>,
}

impl Said {
    pub(super) fn of(run: &LiveRun) -> Self {
        let asked = |kind: &str| {
            run.steps.iter().find(|step| {
                step.status == step::Status::AwaitingPerson
                    && step.detail.ask.as_ref().is_some_and(|ask| ask.kind == kind)
            })
        };
        let person =
            run.steps.iter().rev().find_map(|step| step.detail.answers.last().map(|answer| answer.person.clone()));
        let said = |at: Stage, step: Option<&LiveStep>| Self {
            at: Some(at),
            step: step.map(|step| step.planned.key.clone()).unwrap_or_default(),
            reason: step.and_then(|step| step.detail.reason.clone()).unwrap_or_default(),
            person: person.clone(),
        };
        // A releaser's approval is the release; another step's approval is not.
        let approved = run
            .steps
            .iter()
            .enumerate()
            .any(|(index, step)| step.status == step::Status::Succeeded && released_by(run, index));
        let given = |offered: bool| {
            let done = run.steps.iter().filter(|step| step.detail.delivery.is_some());
            done.filter(|step| step.status == step::Status::Succeeded).any(|step| is_offered(step) == offered)
        };
        match run.status {
            run::Status::Queued => Self::default(),
            run::Status::Failed | run::Status::Canceled | run::Status::Canceling => {
                let failed = run.steps.iter().find(|step| step.status == step::Status::Failed);
                said(Stage::AnalysisFailed, failed)
            }
            _ if given(false) => said(Stage::Delivered, None),
            _ if given(true) => said(Stage::Offered, None),
            run::Status::Running if asked("qc").is_some() => said(Stage::AnalysisQcFailed, asked("qc")),
            run::Status::Running if asked("approve").is_some() => said(Stage::ReleaseReview, asked("approve")),
            _ if approved => said(Stage::Released, None),
            run::Status::Running => said(Stage::Analyzing, None),
            run::Status::Succeeded => said(Stage::ReleaseReview, None),
        }
    }

    /// The next event on the way from a stage to what the run says; none when it is there, or past it.
    pub(super) fn next(&self, from: Stage) -> Option<Event> {
        use Stage as S;
        match (from, self.at?) {
            (S::Ready, S::AnalysisFailed) => None,
            (
                S::AnalysisFailed,
                S::Analyzing | S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered,
            ) => Some(Event::AnalysisRetried),
            (S::Analyzing | S::AnalysisQcFailed | S::ReleaseReview, S::AnalysisFailed) => Some(Event::AnalysisFailed),
            (S::Analyzing | S::ReleaseReview, S::AnalysisQcFailed) => Some(Event::AnalysisQcFailed),
            (S::AnalysisQcFailed, S::Analyzing | S::ReleaseReview | S::Released | S::Offered | S::Delivered) => {
                Some(Event::AnalysisQcWaived)
            }
            (S::Analyzing, S::ReleaseReview | S::Released | S::Offered | S::Delivered) => Some(Event::ReviewAsked),
            (S::ReleaseReview, S::Released | S::Offered | S::Delivered) => Some(Event::Released),
            (S::Released, S::Offered | S::Delivered) => Some(Event::Offered),
            (S::Offered, S::Delivered) => Some(Event::Delivered),
            _ => None,
        }
    }
}

/// The receiver fetches it, and nobody carried it.
fn is_offered(step: &LiveStep) -> bool {
    step.outputs.get("delivery").is_some_and(|delivery| delivery["status"] == "offered")
}
