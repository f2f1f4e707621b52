//! The sheet and the scripts, inside the binary; their addresses change with their content, so browsers keep them for good.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::error::Problem;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Name, kind, bytes.
const ALL: &[(&str, &str, &[u8])] = &[
    ("editor.js", JS, include_bytes!("../../assets/editor.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
    ("kentai.css", CSS, include_bytes!("../../assets/kentai.css")),
    ("live.js", JS, include_bytes!("../../assets/live.js")),
    ("log.js", JS, include_bytes!("../../assets/log.js")),
    ("print.js", JS, include_bytes!("../../assets/print.js")),
    ("run.js", JS, include_bytes!("../../assets/run.js")),
];

/// Of all together: one of them changes, and all addresses do.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = ALL.iter().fold(Sha256::new(), |hash, (_, _, bytes)| hash.chain_update(bytes)).finalize();
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
});

/// What stands behind the `?` of an address in a page.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// `GET /assets/{name}`
pub(super) async fn give(Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let known = ALL.iter().find(|(known, ..)| *known == name);
    let (_, kind, bytes) =
        known.ok_or_else(|| Problem::not_found(format!("there is nothing at /assets/{}", name.escape_debug())))?;
    let kept = if query.as_deref() == Some(version()) { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, kept)], *bytes).into_response())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_part_of_the_sheet_lies_within_another() {
        let mut depth = 0_usize;
        for line in include_str!("../../assets/kentai.css").lines() {
            let begins = !line.starts_with([' ', '}']) && !line.is_empty();
            assert!(depth == 0 || !begins, "a block before this line was not closed: {line}");
            depth = depth + line.matches('{').count() - line.matches('}').count();
        }
        assert_eq!(depth, 0);
    }
}
