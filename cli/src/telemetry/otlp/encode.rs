//! Intervals and requests as OTLP's messages. The only file that knows them.
//!
//! What may stand in a span is what [`Interval`] and [`Answered`] have: nothing is looked up here.

use kentai_engine::id::RunId;
use kentai_engine::view::trace::{Facts, Interval, Step, Thing};
use kentai_web::traces::Answered;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
pub(super) use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Status};
use prost::Message as _;

use super::context::{SpanId, TraceId, span_of, trace_of};

/// Sampled, and it is known whether the parent is somebody else's (`SpanFlags`).
const FLAGS: u32 = 0x01 | 0x100;
/// The parent is.
const REMOTE: u32 = 0x200;

/// What is sent at once.
pub(super) fn request(resource: &[(String, String)], spans: Vec<Span>) -> Vec<u8> {
    let attributes = resource.iter().map(|(key, value)| attribute(key, text(value))).collect();
    let scope = InstrumentationScope {
        name: "kentai".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() };
    let resource = Resource { attributes, ..Resource::default() };
    let spans = ResourceSpans { resource: Some(resource), scope_spans: vec![spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
}

/// How many spans an answer says were not taken; one that cannot be read says nothing.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let partial = ExportTraceServiceResponse::decode(answer).ok().and_then(|answer| answer.partial_success);
    partial.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or(0)
}

/// Something that ended.
pub(super) fn interval(found: &Interval) -> Span {
    let run = &found.run;
    let mut attributes =
        vec![attribute("kentai.run", text(run.as_str())), attribute("kentai.status", text(found.status))];
    attributes.extend(found.cause.map(|cause| attribute("kentai.cause", text(cause))));
    let mut marks = found.marks.clone();
    let mut links = Vec::new();
    let (name, id, parent) = match &found.thing {
        Thing::Run { opened, workflow: (workflow, version), parent } => {
            attributes.push(attribute("kentai.workflow", text(workflow)));
            attributes.push(attribute("kentai.workflow.version", text(version)));
            attributes.push(attribute("kentai.run.opened", count(*opened)));
            links.extend(parent.iter().map(caller));
            // One that was reopened stands beneath its first beginning: a trace has one root.
            let parent = (*opened > 0).then(|| root(run, 0));
            (format!("run {workflow}"), root(run, *opened), parent)
        }
        Thing::Step { step, opened } => {
            attributes.extend(of_step(step));
            (format!("step {}", step.name), step_span(run, step), Some(root(run, *opened)))
        }
        Thing::Attempt { id, step, facts } => {
            attributes.extend(of_step(step));
            attributes.push(attribute("kentai.attempt", text(id.as_str())));
            attributes.extend(of_attempt(facts));
            let tool = facts.tool_us.into_iter();
            marks.extend(tool.flat_map(|(began, ended)| [("tool_started", began), ("tool_ended", ended)]));
            marks.sort_by_key(|(_, at)| *at);
            let name = format!("attempt {}", step.name);
            (name, span_of(run, &["attempt", id.as_str()]), Some(step_span(run, step)))
        }
    };
    Span {
        trace_id: trace_of(run).to_vec(),
        span_id: id.to_vec(),
        parent_span_id: parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        flags: FLAGS,
        name,
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanos(found.began_us),
        end_time_unix_nano: nanos(found.ended_us),
        attributes,
        events: marks.into_iter().map(|(word, at)| mark(word, at)).collect(),
        links,
        status: Some(status(found.failed, found.cause.unwrap_or_default())),
        ..Span::default()
    }
}

/// A request, in this trace and beneath this span.
pub(super) fn answered(found: &Answered, (trace, id): (TraceId, SpanId), parent: Option<SpanId>) -> Span {
    let mut attributes = vec![
        attribute("http.request.method", text(if found.method == "other" { "_OTHER" } else { found.method })),
        attribute("http.response.status_code", count(found.status)),
    ];
    attributes.extend(found.route.as_deref().map(|route| attribute("http.route", text(route))));
    let began = nanos(found.began_us);
    let took = u64::try_from(found.took.as_nanos()).unwrap_or(u64::MAX);
    Span {
        trace_id: trace.to_vec(),
        span_id: id.to_vec(),
        parent_span_id: parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        flags: FLAGS | parent.map_or(0, |_| REMOTE),
        name: found.route.as_ref().map_or_else(|| found.method.to_owned(), |route| format!("{} {route}", found.method)),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: began,
        end_time_unix_nano: began.saturating_add(took),
        attributes,
        status: Some(status(found.status >= 500, "")),
        ..Span::default()
    }
}

fn root(run: &RunId, opened: u32) -> SpanId {
    span_of(run, &["run", &opened.to_string()])
}

fn step_span(run: &RunId, step: &Step) -> SpanId {
    span_of(run, &["step", &step.nth.to_string(), &step.round.to_string()])
}

/// The run that called this one: a trace of its own.
fn caller(run: &RunId) -> Link {
    Link { trace_id: trace_of(run).to_vec(), span_id: root(run, 0).to_vec(), flags: FLAGS, ..Link::default() }
}

fn of_step(step: &Step) -> [KeyValue; 3] {
    [
        attribute("kentai.step", text(&step.name)),
        attribute("kentai.step.nth", count(step.nth)),
        attribute("kentai.step.round", count(step.round)),
    ]
}

fn of_attempt(facts: &Facts) -> Vec<KeyValue> {
    let amounts = [
        ("kentai.exit_code", facts.exit_code),
        ("kentai.signal", facts.signal.map(i64::from)),
        ("kentai.cpus", facts.cpus.map(i64::from)),
        ("kentai.memory_bytes", facts.memory_bytes.and_then(|bytes| i64::try_from(bytes).ok())),
        ("kentai.cpu_ms", facts.cpu_ms.and_then(|ms| i64::try_from(ms).ok())),
        ("kentai.max_rss_bytes", facts.max_rss_bytes.and_then(|bytes| i64::try_from(bytes).ok())),
    ];
    let known = amounts.into_iter().filter_map(|(key, amount)| Some(attribute(key, Value::IntValue(amount?))));
    let number = attribute("kentai.attempt.number", Value::IntValue(facts.number));
    [attribute("kentai.executor", text(&facts.executor)), number].into_iter().chain(known).collect()
}

fn mark(word: &str, at: i64) -> Event {
    Event { time_unix_nano: nanos(at), name: word.to_owned(), ..Event::default() }
}

fn status(failed: bool, message: &str) -> Status {
    let code = if failed { StatusCode::Error } else { StatusCode::Unset };
    Status { code: code.into(), message: message.to_owned() }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn count(value: impl Into<i64>) -> Value {
    Value::IntValue(value.into())
}

/// Of microseconds; before 1970 nothing ran.
fn nanos(at_us: i64) -> u64 {
    u64::try_from(at_us).unwrap_or(0).saturating_mul(1_000)
}
