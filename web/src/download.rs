//! One object's bytes over HTTP: ranges, conditions, digests, and a body that is read in chunks.
//!
//! It knows no route, no right and no record: whoever calls has looked those up. An object that lies shorter on the disk than it
//! should be is refused before its header leaves; one that shrinks or cannot be read on the way breaks the connection. Nothing is
//! ever padded, and no error ends a body as if it were whole.

mod body;
mod buffers;
mod condition;
mod guard;
mod headers;
mod range;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::error::Problem;

pub(crate) use condition::knows;
pub(crate) use guard::Revocable;
pub use guard::{Guard, Sent};

use body::Pieces;
use condition::{Facts, Verdict};

/// Bytes that follow each other in an object.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes at hand: the header of an encrypted object, or a document that was just made.
    Text(Bytes),
    /// Bytes `offset .. offset + len` of a file that is open for reading.
    File {
        /// Read with `pread`: many answers may share it.
        file: Arc<File>,
        /// Where the piece begins in the file (bytes).
        offset: u64,
        /// How long it is (bytes).
        len: u64,
    },
}

impl Piece {
    /// All of a file that is `len` bytes long.
    #[must_use]
    pub fn whole(file: Arc<File>, len: u64) -> Self {
        Self::File { file, offset: 0, len }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Text(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }
}

/// What is served, and what is known of it. The digests are of exactly these bytes: for an encrypted object, of the encrypted ones.
#[derive(Clone, Debug)]
pub struct Object {
    /// One after the other; the object is as long as all of them.
    pub pieces: Vec<Piece>,
    /// SHA-256 of all bytes; the strong entity tag is made of it.
    pub sha256: [u8; 32],
    /// MD5 of all bytes, where it is known.
    pub md5: Option<[u8; 16]>,
    /// When these bytes came to be (microseconds since 1970).
    pub modified_us: i64,
    /// As `application/octet-stream`; one that is no header value becomes that.
    pub media_type: String,
    /// What a browser or `curl -OJ` calls the file. Separators, quotes and leading dots are taken out.
    pub file_name: String,
}

impl Object {
    /// Bytes of the whole object.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Whether every file has, as it lies on the disk, what its piece says.
    fn is_there(&self) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(_) => true,
            Piece::File { file, offset, len } => {
                let end = offset.checked_add(*len);
                end.is_some_and(|end| file.metadata().is_ok_and(|found| found.size() >= end))
            }
        })
    }
}

/// A digest as it is stored (hex, either case) in bytes.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |at: usize| char::from(digits[at]).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
    }
    Some(bytes)
}

/// Answers a GET or HEAD for `object`: 200, 206, 304, 405, 412 or 416, as RFC 9110 sections 13 and 14 say; 500 when the file on the
/// disk is shorter than the object.
///
/// Several ranges in one request are not answered as such: the whole object is (section 14.2 leaves that to the server). A Range
/// that cannot be understood, or that comes with HEAD, is as if it were not there. `guard` is asked at every chunk, see [`Guard`];
/// what it reports is only of answers that have a body of the object's.
pub fn answer(method: &Method, headers: &HeaderMap, object: Object, guard: Guard) -> Response {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    answer_at(method, headers, object, guard, now_s)
}

/// The same, at this time (seconds since 1970).
fn answer_at(method: &Method, headers: &HeaderMap, object: Object, guard: Guard, now_s: u64) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let problem = Problem::body(StatusCode::METHOD_NOT_ALLOWED, "files are read, with GET or HEAD");
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    let facts = Facts {
        tag: headers::hex(&object.sha256),
        // A time that is yet to come would be no news to anybody until then.
        modified_s: u64::try_from(object.modified_us / 1_000_000).unwrap_or(0).min(now_s),
        size: object.size(),
    };
    match condition::evaluate(method, headers, &facts, now_s) {
        Verdict::Whole => send(method, object, &facts, None, guard),
        Verdict::Part(first, last) => send(method, object, &facts, Some((first, last)), guard),
        Verdict::NotModified => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            headers::validators(response.headers_mut(), &facts);
            response
        }
        Verdict::Failed => {
            let detail =
                format!("the file is not what the request's condition says; its entity tag is \"{}\"", facts.tag);
            let mut response = Problem::body(StatusCode::PRECONDITION_FAILED, detail).into_response();
            headers::validators(response.headers_mut(), &facts);
            response
        }
        Verdict::Unsatisfiable => {
            let detail = format!("the file has {} bytes, and the range asked for has none of them", facts.size);
            let mut response = Problem::body(StatusCode::RANGE_NOT_SATISFIABLE, detail).into_response();
            headers::validators(response.headers_mut(), &facts);
            headers::unsatisfied(response.headers_mut(), facts.size);
            response
        }
    }
}

/// 200 or 206; HEAD gets the headers alone.
fn send(method: &Method, object: Object, facts: &Facts, part: Option<(u64, u64)>, guard: Guard) -> Response {
    if !object.is_there() {
        tracing::error!(sha256 = facts.tag, "an object's file is shorter than the object: not served");
        let detail = "the file on the disk is not whole; the center has been told and must restore it";
        return Problem::broken(detail).into_response();
    }
    let (first, len) = part.map_or((0, facts.size), |(first, last)| (first, last - first + 1));
    let mut response = StatusCode::OK.into_response();
    headers::validators(response.headers_mut(), facts);
    headers::representation(response.headers_mut(), &object, len);
    if let Some((first, last)) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        headers::part(response.headers_mut(), first, last, facts.size);
    }
    if method == Method::GET {
        response.extensions_mut().insert(guard.ended());
        *response.body_mut() = Body::new(Pieces::new(object.pieces, first, len, guard));
    }
    response
}

#[cfg(test)]
mod tests;
