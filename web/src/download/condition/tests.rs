//! Conditions, one table each, and their order.

use axum::http::HeaderValue;

use super::Verdict::{Failed, NotModified, Part, Unsatisfiable, Whole};
use super::*;

/// Sat, 29 Oct 1994 19:43:31 GMT, the date of the standard's examples.
const MODIFIED: u64 = 783_459_811;
const SAME: &str = "Sat, 29 Oct 1994 19:43:31 GMT";
const BEFORE: &str = "Sat, 29 Oct 1994 19:43:30 GMT";
const AFTER: &str = "Sat, 29 Oct 1994 19:43:32 GMT";

fn verdict(method: &Method, headers: &[(&str, &str)], now_s: u64) -> Verdict {
    let facts = Facts { tag: "xyzzy".into(), modified_s: MODIFIED, size: 10_000 };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header");
        map.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    evaluate(method, &map, &facts, now_s)
}

fn check(headers: &[(&str, &str)], wanted: Verdict) {
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(verdict(&method, headers, MODIFIED + 60), wanted, "{method} {headers:?}");
    }
}

fn check_get(headers: &[(&str, &str)], wanted: Verdict) {
    assert_eq!(verdict(&Method::GET, headers, MODIFIED + 60), wanted, "{headers:?}");
}

#[test]
fn if_match_compares_strongly() {
    // RFC 9110, section 13.1.1.
    check(&[("if-match", "\"xyzzy\"")], Whole);
    check(&[("if-match", "\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"")], Whole);
    check(&[("if-match", "\"r2d2xxxx\",\"xyzzy\"")], Whole);
    check(&[("if-match", "*")], Whole);
    check(&[("if-match", "W/\"xyzzy\"")], Failed);
    check(&[("if-match", "\"r2d2xxxx\"")], Failed);
    check(&[("if-match", "xyzzy")], Failed);
    check(&[("if-match", "")], Failed);
    check(&[("if-match", "\"a\""), ("if-match", "\"xyzzy\"")], Whole);
}

#[test]
fn if_none_match_compares_weakly() {
    // Section 13.1.2.
    check(&[("if-none-match", "\"xyzzy\"")], NotModified);
    check(&[("if-none-match", "W/\"xyzzy\"")], NotModified);
    check(&[("if-none-match", "\"r2d2xxxx\", W/\"xyzzy\", \"c3piozzzz\"")], NotModified);
    check(&[("if-none-match", "*")], NotModified);
    check(&[("if-none-match", "\"r2d2xxxx\"")], Whole);
    check(&[("if-none-match", "xyzzy")], Whole);
    check(&[("if-none-match", "\"a,\"xyzzy\"")], Whole);
    check(&[("if-none-match", "w/\"xyzzy\"")], Whole);
    check(&[("if-none-match", "\"a\" \"xyzzy\"")], Whole);
    check(&[("if-none-match", "\"a,b\", \"xyzzy\"")], NotModified);
    check(&[("if-none-match", ", ,\"xyzzy\"")], NotModified);
    check(&[("if-none-match", "\"xyzzy")], Whole);
}

#[test]
fn dates_are_compared_to_the_second() {
    check(&[("if-modified-since", SAME)], NotModified);
    check(&[("if-modified-since", AFTER)], NotModified);
    check(&[("if-modified-since", BEFORE)], Whole);
    check(&[("if-unmodified-since", SAME)], Whole);
    check(&[("if-unmodified-since", AFTER)], Whole);
    check(&[("if-unmodified-since", BEFORE)], Failed);
    // The obsolete forms of section 5.6.7.
    check(&[("if-modified-since", "Saturday, 29-Oct-94 19:43:31 GMT")], NotModified);
    check(&[("if-modified-since", "Sat Oct 29 19:43:31 1994")], NotModified);
    for nonsense in ["", "yesterday", "783459811", "Sat, 29 Oct 1994 19:43:31 +0900", "Sun, 29 Oct 1994 19:43:31 GMT"] {
        check(&[("if-modified-since", nonsense)], Whole);
        check(&[("if-unmodified-since", nonsense)], Whole);
    }
    check(&[("if-modified-since", SAME), ("if-modified-since", SAME)], Whole);
}

#[test]
fn the_order_of_section_13_2_2() {
    // A tag goes before a date that would say something else.
    check(&[("if-match", "\"xyzzy\""), ("if-unmodified-since", BEFORE)], Whole);
    check(&[("if-none-match", "\"other\""), ("if-modified-since", AFTER)], Whole);
    check(&[("if-none-match", "\"xyzzy\""), ("if-modified-since", BEFORE)], NotModified);
    // What fails goes before what did not change, and both before a range.
    check(&[("if-match", "\"other\""), ("if-none-match", "\"xyzzy\"")], Failed);
    check(&[("if-match", "\"xyzzy\""), ("if-none-match", "\"xyzzy\"")], NotModified);
    check(&[("if-unmodified-since", BEFORE), ("if-modified-since", AFTER)], Failed);
    check(&[("if-match", "\"other\""), ("range", "bytes=20000-")], Failed);
    check(&[("if-none-match", "*"), ("range", "bytes=20000-")], NotModified);
    check_get(&[("if-match", "\"xyzzy\""), ("range", "bytes=1-2")], Part(1, 2));
    check_get(&[("if-match", "\"xyzzy\""), ("range", "bytes=20000-")], Unsatisfiable);
}

#[test]
fn a_range_is_for_get_only_and_comes_once() {
    check_get(&[("range", "bytes=1-2")], Part(1, 2));
    check_get(&[("range", "bytes=20000-")], Unsatisfiable);
    assert_eq!(verdict(&Method::HEAD, &[("range", "bytes=1-2")], MODIFIED + 60), Whole);
    assert_eq!(verdict(&Method::HEAD, &[("range", "bytes=20000-")], MODIFIED + 60), Whole);
    check(&[("range", "bytes=1-2"), ("range", "bytes=3-4")], Whole);
}

#[test]
fn if_range_lets_a_range_count_for_the_same_bytes_only() {
    let with = |value| [("range", "bytes=1-2"), ("if-range", value)];
    check_get(&with("\"xyzzy\""), Part(1, 2));
    check_get(&with(SAME), Part(1, 2));
    for other in ["W/\"xyzzy\"", "\"other\"", "\"xyzzy\", \"other\"", "*", "xyzzy", "", BEFORE, AFTER] {
        check(&with(other), Whole);
    }
    // A range that no byte fits is as well no range of other bytes.
    check(&[("range", "bytes=20000-"), ("if-range", "\"other\"")], Whole);
    check(&[("range", "bytes=1-2"), ("if-range", "\"xyzzy\""), ("if-range", "\"xyzzy\"")], Whole);
    // Without a Range it says nothing.
    check(&[("if-range", "\"other\"")], Whole);
    // A date is no strong validator within its own second.
    assert_eq!(verdict(&Method::GET, &with(SAME), MODIFIED), Whole);
    assert_eq!(verdict(&Method::GET, &with(SAME), MODIFIED + 1), Part(1, 2));
}
