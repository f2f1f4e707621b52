//! What people ask of a run: cancel, hold, resume, retry, answer.

use axum::Json;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{Answer, Refusal};
use serde::{Deserialize, Serialize};

use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Sent, ThisRun};
use crate::peer::Person;

/// What was done, in words.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    run: RunId,
    message: String,
}

/// Why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
}

/// From which step on; absent: what failed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    from: Option<String>,
}

/// To which step; absent: the only one that waits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    #[serde(default)]
    step: String,
    answer: Answer,
}

/// Nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

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
