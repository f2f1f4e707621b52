//! What is read from the center.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use kentai_engine::store::read::{OrderFilter, RecordFilter};
use kentai_engine::view::Page;
use kentai_engine::view::center::report::{self, OmissionFilter, Omissions, Progress, Turnaround};
use kentai_engine::view::center::{
    self, CaseDetail, HistoryView, OrderLineView, ParticipantDetail, RecordView, SpecimenStory,
};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, Names, language, limit};
use crate::peer::Person;

type Outcome<T> = Result<Json<T>, Problem>;

/// How to narrow a list of order lines.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    stage: Option<String>,
    institution: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /order-lines`
pub(super) async fn order_lines(
    State(app): State<App>,
    Person(who): Person,
    Asked(asked): Asked<Lines>,
) -> Outcome<Page<OrderLineView>> {
    let Lines { stage, institution, after, limit: size } = asked;
    let filter = OrderFilter { stage, institution, after, limit: limit(size)? };
    Ok(Json(center::order_lines(app.engine.reader(), &who.principal(), filter).await?))
}

/// `GET /order-lines/{id}`
pub(super) async fn order_line(
    State(app): State<App>,
    Person(who): Person,
    Named(id): Named,
) -> Outcome<OrderLineView> {
    Ok(Json(center::order_line(app.engine.reader(), &who.principal(), &id).await?))
}

/// `GET /why/{thing}`: an order line, specimen, barcode, lane, shipment, instrument run, case or delivery, in the caller's language.
/// What a run itself waits for is `GET /runs/{id}/why`.
pub(super) async fn why(
    State(app): State<App>,
    Person(who): Person,
    Named(thing): Named,
    headers: HeaderMap,
) -> Outcome<Vec<center::WhyView>> {
    let now = app.engine.options().clock.now();
    let found = center::why(app.engine.reader(), &who.principal(), &thing, now, language(&headers)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no `{}`", thing.escape_debug())))
}

/// How many order lines stand in a stage.
#[derive(Debug, Serialize)]
pub(super) struct Count {
    stage: String,
    count: i64,
}

/// `GET /stages`
pub(super) async fn stages(State(app): State<App>, Person(who): Person) -> Outcome<Vec<Count>> {
    let found = center::stages(app.engine.reader(), &who.principal()).await?;
    Ok(Json(found.into_iter().map(|(stage, count)| Count { stage, count }).collect()))
}

/// `GET /stuck`
pub(super) async fn stuck(
    State(app): State<App>,
    Person(who): Person,
    Asked(turn): Asked<Turn>,
) -> Outcome<Page<OrderLineView>> {
    let part = (turn.after.as_deref(), limit(turn.limit)?);
    Ok(Json(center::stuck(app.engine.reader(), &who.principal(), app.engine.options().clock.now(), part).await?))
}

/// How to narrow a list of records.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    status: Option<String>,
    institution: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /records/{kind}`
pub(super) async fn records(
    State(app): State<App>,
    Person(who): Person,
    Named(kind): Named,
    Asked(asked): Asked<Narrow>,
) -> Outcome<Page<RecordView>> {
    let Narrow { status, institution: owner, after, limit: size } = asked;
    let filter = RecordFilter { kind, status, owner, after, limit: limit(size)? };
    Ok(Json(center::records(app.engine.reader(), &who.principal(), filter).await?))
}

/// `GET /records/{kind}/{id}`
pub(super) async fn record(State(app): State<App>, Person(who): Person, Names(kind, id): Names) -> Outcome<RecordView> {
    Ok(Json(center::record(app.engine.reader(), &who.principal(), &kind, &id).await?))
}

/// `GET /stories/{specimen}`
pub(super) async fn story(State(app): State<App>, Person(who): Person, Named(id): Named) -> Outcome<SpecimenStory> {
    Ok(Json(center::specimen(app.engine.reader(), &who.principal(), &id).await?))
}

/// `GET /history/{specimen}`
pub(super) async fn history(
    State(app): State<App>,
    Person(who): Person,
    Named(id): Named,
) -> Outcome<Page<HistoryView>> {
    Ok(Json(center::history(app.engine.reader(), &who.principal(), &id).await?))
}

/// `GET /participants/{program}/{pseudonym}`
pub(super) async fn participant(
    State(app): State<App>,
    Person(who): Person,
    Names(program, pseudonym): Names,
) -> Outcome<ParticipantDetail> {
    Ok(Json(center::participant(app.engine.reader(), &who.principal(), &program, &pseudonym).await?))
}

/// `GET /cases/{id}`
pub(super) async fn case(State(app): State<App>, Person(who): Person, Named(id): Named) -> Outcome<CaseDetail> {
    Ok(Json(center::case(app.engine.reader(), &who.principal(), &id).await?))
}

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /reports/progress`
pub(super) async fn progress(
    State(app): State<App>,
    Person(who): Person,
    Asked(turn): Asked<Turn>,
) -> Outcome<Page<Progress>> {
    let limit = limit(turn.limit)?;
    Ok(Json(report::progress(app.engine.reader(), &who.principal(), turn.after.as_deref(), limit).await?))
}

/// Which omissions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Omitted {
    kind: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /reports/omissions`: a page of each kind, or of one.
pub(super) async fn omissions(
    State(app): State<App>,
    Person(who): Person,
    Asked(asked): Asked<Omitted>,
) -> Outcome<Vec<Omissions>> {
    let Omitted { kind, after, limit: size } = asked;
    let filter = OmissionFilter { kind, after, limit: limit(size)? };
    let now = app.engine.options().clock.now();
    Ok(Json(report::omissions(app.engine.reader(), &who.principal(), now, &filter).await?))
}

/// `GET /reports/turnaround`
pub(super) async fn turnaround(State(app): State<App>, Person(who): Person) -> Outcome<Vec<Turnaround>> {
    Ok(Json(report::turnaround(app.engine.reader(), &who.principal()).await?))
}
