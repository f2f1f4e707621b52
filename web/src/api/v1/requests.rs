//! What people ask of a run: cancel, hold, resume, retry, answer.

use axum::Json;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{Answer, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::runs::of_one;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Sent, ThisRun};
use crate::openapi::Description;
use crate::peer::Person;

/// What was done, in words.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RunOutcome")]
pub(super) struct Done {
    /// The run.
    run: RunId,
    /// In words.
    message: String,
}

/// Why.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// In words; it is kept with the decision.
    #[serde(default)]
    reason: String,
}

/// From which step on; absent: what failed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RetryFrom")]
pub(super) struct From {
    /// A step: it and everything after it is done again.
    from: Option<String>,
}

/// To which step; absent: the only one that waits.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AnswerTo")]
pub(super) struct To {
    /// A step key.
    #[serde(default)]
    step: String,
    /// What is said.
    answer: Answer,
}

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The operations that ask something of a run.
pub(super) fn describe(to: &mut Description) {
    let reason = json!({ "reason": "the sheet was wrong" });
    of_one(to.post("/runs/{id}/cancel", "cancelRun", "End a run"))
        .takes::<Reason>(false, &reason)
        .gives::<Done>("What was done.");
    of_one(to.post("/runs/{id}/hold", "holdRun", "Pause a run: what runs goes on, nothing new starts"))
        .takes::<Reason>(false, &reason)
        .gives::<Done>("What was done.");
    of_one(to.post("/runs/{id}/resume", "resumeRun", "Let a held run go on"))
        .takes::<Nothing>(false, &json!({}))
        .gives::<Done>("What was done.");
    of_one(to.post("/runs/{id}/retry", "retryRun", "Open an ended run again"))
        .says("Without `from` it is what failed. With it, steps that ended in the meantime are done again each time.")
        .takes::<From>(false, &json!({ "from": "align" }))
        .gives::<Done>("What was done.");
    of_one(to.post("/runs/{id}/answer", "answerRun", "Answer a question of a run"))
        .says("`approve` answers an approve step with `approve` or `reject`, `qc` a gate that holds with one of the ways that it offers.")
        .takes::<To>(
            true,
            &json!({ "step": "release", "answer": { "kind": "approve", "verdict": "approve", "reason": "looked at" } }),
        )
        .gives::<Done>("What was done.");
}

type Outcome = Result<Json<Done>, Problem>;

fn done(run: RunId, result: Result<String, Refusal>) -> Outcome {
    Ok(Json(Done { run, message: result? }))
}

/// `POST /runs/{id}/cancel`
pub(super) async fn cancel(
    Acting(engine): Acting,
    Person(who): Person,
    ThisRun(id): ThisRun,
    Sent(why): Sent<Reason>,
) -> Outcome {
    let result = engine.cancel(&id, &who, &why.reason).await;
    done(id, result)
}

/// `POST /runs/{id}/hold`
pub(super) async fn hold(
    Acting(engine): Acting,
    Person(who): Person,
    ThisRun(id): ThisRun,
    Sent(why): Sent<Reason>,
) -> Outcome {
    let result = engine.hold(&id, &who, &why.reason).await;
    done(id, result)
}

/// `POST /runs/{id}/resume`
pub(super) async fn resume(
    Acting(engine): Acting,
    Person(who): Person,
    ThisRun(id): ThisRun,
    Sent(_): Sent<Nothing>,
) -> Outcome {
    let result = engine.resume(&id, &who).await;
    done(id, result)
}

/// `POST /runs/{id}/retry`
pub(super) async fn retry(
    Acting(engine): Acting,
    Person(who): Person,
    ThisRun(id): ThisRun,
    Sent(wish): Sent<From>,
) -> Outcome {
    let result = engine.retry(&id, wish.from.as_deref(), &who).await;
    done(id, result)
}

/// `POST /runs/{id}/answer`
pub(super) async fn answer(
    Acting(engine): Acting,
    Person(who): Person,
    ThisRun(id): ThisRun,
    Sent(sent): Sent<To>,
) -> Outcome {
    let result = engine.answer(&id, &sent.step, &who, sent.answer).await;
    done(id, result)
}
