//! Answers as they leave, headers and bytes; `clients` asks programs that are not ours.

mod clients;
mod property;

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::HeaderValue;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::*;

const MODIFIED_US: i64 = 783_459_811_999_999;
const NOW_S: u64 = 1_800_000_000;

/// Bytes that repeat nowhere near.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

fn file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("written");
    Arc::new(file)
}

/// A header in memory and a part of a larger file, as an encrypted object is.
fn object(bytes: &[u8], header: usize) -> Object {
    let body = [b"before".as_slice(), &bytes[header..], b"after"].concat();
    let len = (bytes.len() - header) as u64;
    let pieces =
        vec![Piece::Text(Bytes::copy_from_slice(&bytes[..header])), Piece::File { file: file(&body), offset: 6, len }];
    describe(pieces, bytes)
}

fn describe(pieces: Vec<Piece>, bytes: &[u8]) -> Object {
    Object {
        pieces,
        sha256: Sha256::digest(bytes).into(),
        md5: None,
        modified_us: MODIFIED_US,
        media_type: "application/vnd.ga4gh.cram".into(),
        file_name: "S1.cram".into(),
    }
}

fn ask(method: &Method, headers: &[(header::HeaderName, &str)], object: Object, guard: Guard) -> Response {
    let pairs = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value")));
    answer_at(method, &pairs.collect(), object, guard, NOW_S)
}

async fn bytes_of(response: Response) -> Result<Vec<u8>, axum::Error> {
    axum::body::to_bytes(response.into_body(), usize::MAX).await.map(|bytes| bytes.to_vec())
}

fn header_of<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn a_whole_object_and_its_headers() {
    let bytes = noise(600_000);
    let response = ask(&Method::GET, &[], object(&bytes, 124), Guard::default());
    assert_eq!(response.status(), 200);
    let sha256 = headers::hex(&Sha256::digest(&bytes));
    let wanted = [
        ("etag", format!("\"{sha256}\"")),
        ("last-modified", "Sat, 29 Oct 1994 19:43:31 GMT".into()),
        ("accept-ranges", "bytes".into()),
        ("content-length", "600000".into()),
        ("content-type", "application/vnd.ga4gh.cram".into()),
        ("content-disposition", "attachment; filename=\"S1.cram\"".into()),
        ("cache-control", "private, no-transform".into()),
        ("content-encoding", String::new()),
        ("content-range", String::new()),
    ];
    for (name, value) in wanted {
        assert_eq!(header_of(&response, name), value, "{name}");
    }
    assert!(bytes_of(response).await.expect("whole") == bytes);
}

#[tokio::test]
async fn head_says_what_get_says() {
    let bytes = noise(300_000);
    for headers in [&[][..], &[(header::IF_NONE_MATCH, "*")], &[(header::IF_MATCH, "\"a\"")]] {
        let get = ask(&Method::GET, headers, object(&bytes, 124), Guard::default());
        let head = ask(&Method::HEAD, headers, object(&bytes, 124), Guard::default());
        assert_eq!((get.status(), get.headers()), (head.status(), head.headers()));
        if head.status() == 200 {
            assert!(bytes_of(head).await.expect("nothing").is_empty());
        }
    }
}

#[tokio::test]
async fn a_part_has_the_digest_of_the_whole() {
    let bytes = noise(300_000);
    let whole = ask(&Method::HEAD, &[], object(&bytes, 124), Guard::default());
    let part = ask(&Method::GET, &[(header::RANGE, "bytes=100-199")], object(&bytes, 124), Guard::default());
    assert_eq!(part.status(), 206);
    assert_eq!(header_of(&part, "content-range"), "bytes 100-199/300000");
    assert_eq!(header_of(&part, "content-length"), "100");
    for name in ["repr-digest", "digest", "etag", "last-modified", "content-type", "accept-ranges", "cache-control"] {
        assert!(!header_of(&part, name).is_empty());
        assert_eq!(header_of(&part, name), header_of(&whole, name), "{name}");
    }
    assert!(bytes_of(part).await.expect("whole") == bytes[100..200]);
}

#[tokio::test]
async fn refusals_carry_what_a_client_needs_next() {
    let bytes = noise(1_000);
    let tag = format!("\"{}\"", headers::hex(&Sha256::digest(&bytes)));
    let cases = [
        (header::IF_NONE_MATCH, tag.as_str(), 304, ""),
        (header::IF_MATCH, "\"other\"", 412, ""),
        (header::RANGE, "bytes=1000-", 416, "bytes */1000"),
    ];
    for (name, value, status, range) in cases {
        let response = ask(&Method::GET, &[(name, value)], object(&bytes, 124), Guard::default());
        assert_eq!(response.status(), status);
        assert_eq!((header_of(&response, "etag"), header_of(&response, "content-range")), (tag.as_str(), range));
        assert_eq!(header_of(&response, "cache-control"), "private, no-transform");
        assert_eq!(header_of(&response, "last-modified"), "Sat, 29 Oct 1994 19:43:31 GMT");
        // Whoever reads a refusal's digest would take it for one of the refusal.
        assert_eq!((header_of(&response, "digest"), header_of(&response, "repr-digest")), ("", ""));
        let body = bytes_of(response).await.expect("whole");
        assert_eq!(body.is_empty(), status == 304);
    }
    let response = ask(&Method::POST, &[], object(&bytes, 124), Guard::default());
    assert_eq!((response.status().as_u16(), header_of(&response, "allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn a_time_that_is_yet_to_come_is_now() {
    let ahead = Object { modified_us: i64::MAX, ..object(&noise(10), 0) };
    let response = ask(&Method::GET, &[], ahead, Guard::default());
    assert_eq!(header_of(&response, "last-modified"), "Fri, 15 Jan 2027 08:00:00 GMT");
    let long_ago = Object { modified_us: -5_000_000, ..object(&noise(10), 0) };
    let response = ask(&Method::GET, &[], long_ago, Guard::default());
    assert_eq!(header_of(&response, "last-modified"), "Thu, 01 Jan 1970 00:00:00 GMT");
}

#[tokio::test]
async fn a_file_that_lies_short_is_refused_before_its_header_leaves() {
    let bytes = noise(1_000);
    let pieces = vec![Piece::File { file: file(&bytes[..999]), offset: 0, len: 1_000 }];
    assert_eq!(ask(&Method::GET, &[], describe(pieces, &bytes), Guard::default()).status(), 500);
    let pieces = vec![Piece::File { file: file(&bytes), offset: u64::MAX, len: 1_000 }];
    assert_eq!(ask(&Method::GET, &[], describe(pieces, &bytes), Guard::default()).status(), 500);
}

/// A guard, its token, and what it was told.
fn watched() -> (Guard, CancellationToken, Arc<Mutex<Vec<Sent>>>) {
    let (token, heard) = (CancellationToken::new(), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&heard);
    let guard = Guard::new(token.clone()).telling(move |sent| told.lock().expect("nobody panicked").push(sent));
    (guard, token, heard)
}

/// The next chunk of a body.
async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    let mut body = std::pin::Pin::new(body);
    let frame = std::future::poll_fn(|cx| axum::body::HttpBody::poll_frame(body.as_mut(), cx)).await?;
    Some(frame.map(|frame| frame.into_data().expect("data")))
}

#[tokio::test]
async fn a_file_that_shrinks_on_the_way_breaks_off_and_is_not_padded() {
    let bytes = noise(2_000_000);
    let shrinking = file(&bytes);
    let pieces = vec![Piece::whole(Arc::clone(&shrinking), 2_000_000)];
    let (guard, _token, heard) = watched();
    let mut body = ask(&Method::GET, &[], describe(pieces, &bytes), guard).into_body();
    let mut got = next(&mut body).await.expect("a chunk").expect("good").to_vec();
    shrinking.set_len(1_000_000).expect("shrunk");
    let ended = loop {
        match next(&mut body).await {
            Some(Ok(chunk)) => got.extend(chunk),
            other => break other,
        }
    };
    assert!(matches!(ended, Some(Err(_))), "it must not end as if it were whole");
    assert!(got == bytes[..1_000_000]);
    drop(body);
    assert_eq!(*heard.lock().expect("heard"), [Sent { first: 0, bytes: 1_000_000, complete: false }]);
}

#[tokio::test]
async fn what_is_taken_back_ends_at_the_next_chunk() {
    let bytes = noise(2_000_000);
    let (guard, token, heard) = watched();
    let headers = [(header::RANGE, "bytes=5-")];
    let mut body = ask(&Method::GET, &headers, object(&bytes, 124), guard).into_body();
    let first = next(&mut body).await.expect("a chunk").expect("good");
    token.cancel();
    assert!(matches!(next(&mut body).await, Some(Err(_))));
    drop(body);
    let sent = Sent { first: 5, bytes: first.len() as u64, complete: false };
    assert_eq!(*heard.lock().expect("heard"), [sent]);
}

#[tokio::test]
async fn the_whole_way_is_told_as_such() {
    let bytes = noise(700_000);
    let (guard, _token, heard) = watched();
    let response = ask(&Method::GET, &[(header::RANGE, "bytes=-500000")], object(&bytes, 124), guard);
    assert!(bytes_of(response).await.expect("whole") == bytes[200_000..]);
    assert_eq!(*heard.lock().expect("heard"), [Sent { first: 200_000, bytes: 500_000, complete: true }]);
    // Where no byte of the object leaves, nothing is told.
    for (method, name, value) in [(Method::HEAD, header::RANGE, "bytes=0-"), (Method::GET, header::IF_NONE_MATCH, "*")]
    {
        let (guard, _token, heard) = watched();
        drop(ask(&method, &[(name, value)], object(&bytes, 124), guard));
        assert!(heard.lock().expect("heard").is_empty());
    }
}

#[test]
fn stored_digests_are_read() {
    assert_eq!(from_hex("00ffA0"), Some([0, 255, 160]));
    assert_eq!(from_hex::<2>("00ff0"), None);
    assert_eq!(from_hex::<2>("00fg"), None);
    assert_eq!(from_hex::<2>("é00"), None);
}
