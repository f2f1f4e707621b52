//! The routes of the pages, as their source has them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// For whoever is not signed in yet: the way in, what a page is drawn with, and the choices of a reader.
pub(super) const OUTSIDE: &[&str] = &[
    "/sign-in",
    "/sign-in/link",
    // Where the site names a provider: these tests do not, and `tests/tests/door/elsewhere.rs` does.
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/sign-in/oidc/code",
    "/language/{language}",
    "/theme/{theme}",
    "/assets/{name}",
];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    pub(super) method: String,
    pub(super) path: String,
}

impl Route {
    /// Its path with this in every place.
    pub(super) fn path(&self, put: &str) -> String {
        let part = |part: &str| if part.starts_with('{') { put.to_owned() } else { part.to_owned() };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

/// Every one of them.
pub(super) fn all() -> BTreeSet<Route> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for file in files(&source.join("page")).into_iter().chain([source.join("page.rs")]) {
        let text = std::fs::read_to_string(&file).expect("a source");
        for part in text.split(".route(").skip(1) {
            let path = part.split('"').nth(1).expect("a route begins with its path").to_owned();
            let methods = part.split_once(',').expect("and has methods").1.split(".route(").next().expect("something");
            let methods = methods.split(['\n', ';']).take(4).collect::<String>();
            if path.starts_with("/sign-in/oidc") && !cfg!(feature = "oidc") {
                continue;
            }
            for (word, method) in
                [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE"), ("patch(", "PATCH")]
            {
                if methods.contains(word) {
                    found.insert(Route { method: method.to_owned(), path: path.clone() });
                }
            }
        }
    }
    assert!(found.len() >= 10, "the pages have routes: {found:?}");
    found
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}
