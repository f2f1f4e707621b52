//! Conditional requests in the order of RFC 9110, section 13.2.2: headers and a few facts in, a verdict out.

use std::time::UNIX_EPOCH;

use axum::http::{HeaderMap, HeaderName, Method, header};

use super::range::{self, Asked};

/// What conditions are about.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The entity tag, without its quotes; it is a strong one.
    pub tag: String,
    /// Last-Modified (seconds since 1970).
    pub modified_s: u64,
    /// Bytes.
    pub size: u64,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    /// First and last byte, both counted.
    Part(u64, u64),
    NotModified,
    Failed,
    Unsatisfiable,
}

/// GET or HEAD, asked at `now_s`.
pub(super) fn evaluate(method: &Method, headers: &HeaderMap, facts: &Facts, now_s: u64) -> Verdict {
    let date_of = |name| one(headers, name).and_then(date);
    if headers.contains_key(header::IF_MATCH) {
        if !any_tag(headers, header::IF_MATCH, |tag| !tag.weak && tag.opaque == facts.tag.as_bytes()) {
            return Verdict::Failed;
        }
    } else if date_of(header::IF_UNMODIFIED_SINCE).is_some_and(|date| facts.modified_s > date) {
        return Verdict::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if any_tag(headers, header::IF_NONE_MATCH, |tag| tag.opaque == facts.tag.as_bytes()) {
            return Verdict::NotModified;
        }
    } else if date_of(header::IF_MODIFIED_SINCE).is_some_and(|date| facts.modified_s <= date) {
        return Verdict::NotModified;
    }
    let asked = one(headers, header::RANGE).filter(|_| method == Method::GET && if_range(headers, facts, now_s));
    match asked.map_or(Asked::Everything, |range| range::asked(range, facts.size)) {
        Asked::Everything => Verdict::Whole,
        Asked::Part(first, last) => Verdict::Part(first, last),
        Asked::Nothing => Verdict::Unsatisfiable,
    }
}

/// Does If-None-Match say that they have this one (section 13.1.2)?
pub(crate) fn knows(headers: &HeaderMap, opaque: &str) -> bool {
    any_tag(headers, header::IF_NONE_MATCH, |tag| tag.opaque == opaque.as_bytes())
}

/// Whether a Range counts (section 13.1.5).
fn if_range(headers: &HeaderMap, facts: &Facts, now_s: u64) -> bool {
    if !headers.contains_key(header::IF_RANGE) {
        return true;
    }
    let Some(text) = one(headers, header::IF_RANGE) else { return false };
    if let Some((tag, b"")) = tag(text.as_bytes()) {
        return !tag.weak && tag.opaque == facts.tag.as_bytes();
    }
    // In the second that it was made in, one date could be of two versions (section 8.8.2.2).
    date(text).is_some_and(|date| date == facts.modified_s && now_s > facts.modified_s)
}

/// The only value of a header that comes once. What comes twice says two things, and none of them counts.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// Seconds since 1970; one before then is 0.
fn date(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

struct Tag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

/// Whether the header is `*`, or one of its tags fits. A list that cannot be read to its end has only what came before.
fn any_tag(headers: &HeaderMap, name: HeaderName, fits: impl Fn(&Tag<'_>) -> bool) -> bool {
    headers.get_all(name).iter().any(|value| {
        let mut rest = value.as_bytes().trim_ascii();
        if rest == b"*" {
            return true;
        }
        loop {
            while let [b',' | b' ' | b'\t', after @ ..] = rest {
                rest = after;
            }
            let Some((tag, after)) = tag(rest) else { return false };
            if fits(&tag) {
                return true;
            }
            rest = after.trim_ascii_start();
            if !rest.starts_with(b",") {
                return false;
            }
        }
    })
}

/// One entity tag (section 8.8.3) at the beginning of `text`, and what follows it.
fn tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let (weak, text) = match text {
        [b'W', b'/', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| *byte == b'"')?;
    let opaque = &text[..end];
    let known = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
    opaque.iter().all(known).then_some((Tag { weak, opaque }, &text[end + 1..]))
}

#[cfg(test)]
mod tests;
