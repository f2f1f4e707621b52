//! A letter as a CloudEvents 1.0 event, structured JSON (CloudEvents core 1.0.2, JSON format 1.0.2). The same letter is the same bytes.

use kentai_engine::port::messenger::Letter;
use serde_json::json;

/// What the body is.
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The event's text: `source` is the site, `id` the notice, `subject` what it is about, `type` what it says, `data` the message.
pub(super) fn text(letter: &Letter) -> String {
    let mut event = json!({
        "specversion": "1.0",
        "id": letter.notice,
        "source": letter.site,
        "type": letter.kind(),
        "time": time(letter.written_us),
        "datacontenttype": "application/json",
        "data": letter.body,
    });
    if !letter.about.is_empty() {
        event["subject"] = json!(letter.about);
    }
    event.to_string()
}

/// RFC 3339, UTC, to the microsecond.
fn time(at_us: i64) -> String {
    jiff::Timestamp::from_microsecond(at_us).unwrap_or_default().to_string()
}
