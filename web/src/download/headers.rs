//! Headers of an object's answers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Object;
use super::condition::Facts;

/// RFC 9530: of the whole representation, also with 206.
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
/// RFC 3230, obsolete; aria2 and others check nothing else.
const DIGEST: HeaderName = HeaderName::from_static("digest");
/// Bytes of a file's name.
const NAME_BYTES_MAX: usize = 200;

/// Lowercase hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is true of the object whatever is answered.
pub(super) fn validators(headers: &mut HeaderMap, facts: &Facts) {
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(facts.modified_s);
    set(headers, header::ETAG, &format!("\"{}\"", facts.tag));
    set(headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    set(headers, header::ACCEPT_RANGES, "bytes");
    // Nothing on the way may keep it for others, or hand on other bytes than these.
    set(headers, header::CACHE_CONTROL, "private, no-transform");
}

/// What goes with bytes of the object: `len` of them.
pub(super) fn representation(headers: &mut HeaderMap, object: &Object, len: u64) {
    let sha256 = STANDARD.encode(object.sha256);
    set(headers, REPR_DIGEST, &format!("sha-256=:{sha256}:"));
    let md5 = object.md5.map(|md5| format!(",MD5={}", STANDARD.encode(md5))).unwrap_or_default();
    set(headers, DIGEST, &format!("SHA-256={sha256}{md5}"));
    let kind = HeaderValue::from_str(&object.media_type).ok().filter(|kind| !kind.is_empty());
    headers.insert(header::CONTENT_TYPE, kind.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream")));
    set(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", file_name(&object.file_name)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
}

/// Which bytes these are.
pub(super) fn part(headers: &mut HeaderMap, first: u64, last: u64, size: u64) {
    set(headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
}

/// That there are no such bytes.
pub(super) fn unsatisfied(headers: &mut HeaderMap, size: u64) {
    set(headers, header::CONTENT_RANGE, &format!("bytes */{size}"));
}

/// A name that is one plain file on every system: what is not a letter, a digit or one of `._+-` becomes `_`.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(NAME_BYTES_MAX).collect();
    // Hidden files and options of a command are nobody's result.
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "file".into() } else { name.to_owned() }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Hex, base64, numbers, dates and plain names: all of it is visible ASCII.
    headers.insert(name, HeaderValue::from_str(value).expect("only visible ASCII is put together here"));
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_name_leaves_its_folder_and_its_header_alone() {
        let cases = [
            ("S000001X.cram.c4gh", "S000001X.cram.c4gh"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\"; filename=\"b", "a___filename__b"),
            ("a\r\nSet-Cookie: x", "a__Set-Cookie__x"),
            ("検体.vcf", "__.vcf"),
            (".bashrc", "bashrc"),
            ("--rf", "rf"),
            ("...", "file"),
            ("", "file"),
        ];
        for (name, wanted) in cases {
            assert_eq!(file_name(name), wanted, "{name:?}");
        }
        assert_eq!(file_name(&"x".repeat(1_000)).len(), 200);
    }
}
