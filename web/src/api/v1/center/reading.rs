//! What is read from the center.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use kentai_engine::state::order::Stage;
use kentai_engine::store::read::{OrderFilter, RecordFilter};
use kentai_engine::view::Page;
use kentai_engine::view::center::report::{self, OmissionFilter, Omissions, Progress, Turnaround};
use kentai_engine::view::center::{
    self, CaseDetail, HistoryView, OrderLineView, ParticipantDetail, RecordView, SpecimenStory,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, Names, language, limit};
use crate::openapi::Description;
use crate::peer::Person;

type Outcome<T> = Result<Json<T>, Problem>;

/// The operations that read from the center.
pub(super) fn describe(to: &mut Description) {
    to.noun("order lines", "An order line is one specimen and one assay version: what the center delivers.");
    to.get("/order-lines", "listOrderLines", "Order lines, newest first")
        .asks::<Lines>()
        .gives::<Page<OrderLineView>>("A page of order lines.");
    to.get(
        "/order-lines/{id}",
        "getOrderLine",
        "One order line: its stage, and what must happen next, by whom, by when",
    )
    .names("id", "The order line.")
    .gives::<OrderLineView>("The order line.")
    .refuses(&[404]);
    to.get("/stages", "countStages", "How many order lines stand in each stage").gives::<Vec<Count>>("Stages.");
    to.get("/stuck", "listStuck", "Order lines of which nothing happened by when it must, the longest ago first")
        .says("`after` is `next` of an earlier answer and nothing else.")
        .asks::<Turn>()
        .gives::<Page<OrderLineView>>("A page of order lines.")
        .refuses(&[400]);
    to.get("/why/{*thing}", "getWhy", "Why something of the center stands where it stands")
        .says("An order line, specimen, barcode, lane, shipment, instrument run, case or delivery; in the language of `Accept-Language`.")
        .names("thing", "Its id.")
        .gives::<Vec<center::WhyView>>("Answers.")
        .refuses(&[404]);
    describe_records(to);
    to.noun("reports", "What goes over everything.");
    to.get("/reports/progress", "reportProgress", "The seven tracked items of each order line")
        .asks::<Turn>()
        .gives::<Page<Progress>>("A page of order lines.");
    to.get("/reports/omissions", "reportOmissions", "What nobody expected, brought or answered")
        .says("A page of each kind, or of one; `limit` is each one's.")
        .asks::<Omitted>()
        .gives::<Vec<Omissions>>("Kinds.");
    to.get("/reports/turnaround", "reportTurnaround", "How long each gate took")
        .says("It reads every order line: ask for it now and then.")
        .gives::<Vec<Turnaround>>("Gates.");
}

fn describe_records(to: &mut Description) {
    to.noun("records", "What the center knows: shipments, items, specimens, lanes, deviations, consents, withdrawals.");
    to.get("/records/{kind}", "listRecords", "Records of a kind")
        .names("kind", "`shipment`, `item`, `specimen`, `assay`, `lane_library`, `work_request`, `deviation` …")
        .asks::<Narrow>()
        .gives::<Page<RecordView>>("A page of records.")
        .refuses(&[404]);
    to.get("/records/{kind}/{*id}", "getRecord", "One record")
        .names("kind", "What it is.")
        .names("id", "The record.")
        .gives::<RecordView>("The record.")
        .refuses(&[404]);
    to.get("/stories/{specimen}", "getStory", "Everything that reaches a specimen, as it stands")
        .names("specimen", "The specimen.")
        .gives::<SpecimenStory>("The specimen with its order lines and records.")
        .refuses(&[404]);
    to.get("/history/{specimen}", "getHistory", "Everything that happened to a specimen, oldest first")
        .names("specimen", "The specimen.")
        .gives::<Page<HistoryView>>("Events.")
        .refuses(&[404]);
    to.get("/participants/{program}/{pseudonym}", "getParticipant", "The consent in force, and every record of it")
        .names("program", "Program.")
        .names("pseudonym", "Pseudonym within it.")
        .gives::<ParticipantDetail>("The participant.")
        .refuses(&[404]);
    to.get("/cases/{id}", "getCase", "A withdrawal with its things and notices")
        .names("id", "The case.")
        .gives::<CaseDetail>("The case.")
        .refuses(&[404]);
}

/// How to narrow a list of order lines.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    /// In this stage.
    #[schemars(with = "Option<Stage>")]
    stage: Option<String>,
    /// Of this institution: its code.
    institution: Option<String>,
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StageCount")]
pub(super) struct Count {
    /// Stage.
    stage: String,
    /// Order lines in it.
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
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    /// Where they stand.
    status: Option<String>,
    /// Of this institution: its code.
    institution: Option<String>,
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
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
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
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
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Omitted {
    /// Only this kind: `unanswered_notice`, `late_receipt`, `missing_item` …
    #[schemars(extend("enum" = report::kinds()))]
    kind: Option<String>,
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
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
