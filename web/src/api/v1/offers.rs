//! Offers: the receiver's feed, one offer, its receipts. Bytes are served by `packages`.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use kentai_engine::handoff::offer::{Detail, Feed};
use kentai_engine::handoff::receipt::{Answer, Receipt, Taken};
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Handle;
use kentai_engine::view::offer;
use serde::Deserialize;

use super::BODY_BYTES_MAX;
use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Asked, Named, limit};
use crate::peer::Person;
use crate::serve::Closing;

/// A long poll waits so long at most.
const WAIT_S_MAX: u64 = 60;

/// Where to go on, and how long to wait for news.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    after: Option<String>,
    limit: Option<i64>,
    wait: Option<u64>,
}

/// `GET /offers`: what changed after a cursor, and with `wait` only when something did.
pub(super) async fn feed(
    State(app): State<App>,
    Person(who): Person,
    closing: Option<Extension<Closing>>,
    Asked(asked): Asked<After>,
) -> Result<Json<Feed>, Problem> {
    let bad = || Problem::bad("after is the `next` of an earlier answer");
    let after = asked.after.as_deref().map_or(Ok(0), str::parse).map_err(|_| bad())?;
    if after < 0 {
        return Err(bad());
    }
    let wait = asked.wait.unwrap_or(0);
    if wait > WAIT_S_MAX {
        return Err(Problem::bad(format!("wait is 0 to {WAIT_S_MAX} seconds")));
    }
    let limit = limit(asked.limit)?;
    let principal = who.principal();
    let mut pulse = app.engine.pulse();
    let closing = closing.map(|Extension(closing)| closing).unwrap_or_default();
    let over = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(over);
    loop {
        // What changes after this line is seen by the next look.
        pulse.borrow_and_update();
        let feed = offer::feed(app.engine.reader(), &principal, after, limit).await?;
        if !feed.items.is_empty() || wait == 0 {
            return Ok(Json(feed));
        }
        tokio::select! {
            changed = pulse.changed() => if changed.is_err() { return Ok(Json(feed)) },
            () = &mut over => return Ok(Json(feed)),
            () = closing.0.cancelled() => return Ok(Json(feed)),
        }
    }
}

/// `GET /offers/{delivery}`
pub(super) async fn show(
    State(app): State<App>,
    Person(who): Person,
    Named(id): Named,
) -> Result<Json<Detail>, Problem> {
    Ok(Json(offer::offer(app.engine.reader(), &who.principal(), &id).await?))
}

/// `POST /offers/{delivery}/receipts`: all of a receipt counts, or nothing of it, and then it is written down why not.
pub(super) async fn receipt(
    Acting(engine): Acting,
    Person(who): Person,
    Named(id): Named,
    request: HttpRequest,
) -> Result<Json<Answer>, Problem> {
    // What is foreign is not there, whatever was sent.
    offer::see(engine.reader(), &who.principal(), &id).await?;
    let receipt = match read(request.into_body()).await {
        Ok(receipt) => receipt,
        Err(problem) => return Err(refused(&engine, &who, &id, problem).await),
    };
    let request = Request::Receipt { delivery: id.clone(), receipt: receipt.clone() };
    if let Err(refusal) = engine.center(request, &who).await {
        let why = refusal.to_string();
        return Err(refused(&engine, &who, &id, (refusal.into(), why)).await);
    }
    let seen = offer::see(engine.reader(), &who.principal(), &id).await?;
    let taken = |said: &kentai_engine::handoff::receipt::Said| {
        let (status, reason) = seen.said(&said.path);
        Taken { path: said.path.clone(), status, reason }
    };
    let files = receipt.files().iter().map(taken).collect();
    let (audit, proof) = engine.receipt_proof(&id, receipt.id()).await?.unzip();
    Ok(Json(Answer { receipt: receipt.id().to_owned(), delivery: id, status: seen.status(), files, audit, proof }))
}

async fn read(body: Body) -> Result<Receipt, (Problem, String)> {
    let large = || {
        let said = format!("a receipt has at most {BODY_BYTES_MAX} bytes");
        (Problem::body(StatusCode::PAYLOAD_TOO_LARGE, said.clone()), said)
    };
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| large())?;
    Receipt::read(&bytes).map_err(|wrong| (Problem::bad(wrong.to_string()), wrong.to_string()))
}

/// What is no receipt changes nothing; that it came is an event.
async fn refused(engine: &Handle, who: &Actor, id: &str, (problem, why): (Problem, String)) -> Problem {
    match engine.center(Request::ReceiptRefused { delivery: id.to_owned(), why }, who).await {
        Ok(_) => problem,
        Err(refusal) => refusal.into(),
    }
}
