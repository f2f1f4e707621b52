//! The API's own page, out of the document that programs read: nouns, their operations, and the types that these take and give.
//!
//! It knows no route: what is not in `/api/openapi.json` is not here, and what is there is.

mod read;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::openapi::WHOLE;
use crate::packages::based;

use read::{Described, Type};
use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api", get(all)).route("/api/{noun}", get(one))
}

/// A noun of the API.
struct Noun {
    slug: String,
    title: String,
    says: String,
    operations: Vec<Described>,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    version: String,
    example: String,
    nouns: Vec<Noun>,
}

#[derive(Template)]
#[template(path = "reference_noun.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    noun: Noun,
    types: Vec<Type>,
}

/// `GET /api`
async fn all(visit: Visit, Base(base): Base) -> Response {
    let words = Words::of(visit.language());
    let nouns = nouns(words, &base);
    let version = WHOLE["info"]["version"].as_str().unwrap_or_default().to_owned();
    let first = nouns.first().and_then(|noun| noun.operations.first());
    let example = first.map(|first| first.example.clone()).unwrap_or_default();
    page(&All { shell: visit.shell(Place::Elsewhere), words, version, example, nouns })
}

/// `GET /api/{noun}`
async fn one(visit: Visit, Base(base): Base, Path(slug): Path<String>) -> Result<Response, Problem> {
    let words = Words::of(visit.language());
    let found = nouns(words, &base).into_iter().find(|noun| noun.slug == slug);
    let noun =
        found.ok_or_else(|| Problem::not_found(format!("the API has nothing called `{}`", slug.escape_debug())))?;
    let types = read::types(&WHOLE, &noun.operations);
    Ok(page(&One { shell: visit.shell(Place::Elsewhere), words, noun, types }))
}

/// The address that examples ask.
struct Base(String);

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        based(&parts.headers, &parts.extensions).map(Self)
    }
}

/// In the document's order.
fn nouns(words: &Words, base: &str) -> Vec<Noun> {
    let operations = read::operations(&WHOLE, base);
    let tags = WHOLE["tags"].as_array().into_iter().flatten();
    let noun = |tag: &Value| {
        let name = tag["name"].as_str().unwrap_or_default();
        Noun {
            slug: name.replace(' ', "-"),
            title: words.noun(name).to_owned(),
            says: tag["description"].as_str().unwrap_or_default().to_owned(),
            operations: operations.iter().filter(|one| one.noun == name).cloned().collect(),
        }
    };
    tags.map(noun).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_stands_under_a_noun_and_every_type_that_it_names_beside_it() {
        let nouns = nouns(Words::of(kentai_workflows::diagnostic::Language::Ja), "http://x");
        let paths = WHOLE["paths"].as_object().into_iter().flatten();
        let count: usize = paths.map(|(_, item)| item.as_object().map_or(0, serde_json::Map::len)).sum();
        assert_eq!(nouns.iter().map(|noun| noun.operations.len()).sum::<usize>(), count);
        for noun in nouns {
            assert!(!noun.operations.is_empty(), "{} has no operation", noun.slug);
            let types: BTreeSet<String> =
                read::types(&WHOLE, &noun.operations).into_iter().map(|one| one.name).collect();
            for operation in &noun.operations {
                let named = operation.answers.iter().filter_map(|answer| answer.kind.link.clone());
                let named = named.chain(operation.body.iter().filter_map(|body| body.link.clone()));
                for name in named {
                    assert!(types.contains(&name), "{}: {name} is not told", operation.id);
                }
            }
        }
    }
}
