//! What people decided, the newest first, by sort and person; each row leads to what it is about.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::decision::{About, Decided, Kind, Wish, decisions};
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::say::Say;
use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/decisions", get(all))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    kind: Option<String>,
    person: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// One decision.
struct Row {
    id: String,
    kind: &'static str,
    about: String,
    href: Option<String>,
    verdict: String,
    reason: String,
    waits: bool,
    person: String,
    by: String,
    at: String,
    exact: String,
}

#[derive(Template)]
#[template(path = "decisions.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    kinds: Vec<Filter>,
    kind: String,
    person: String,
    rows: Vec<Row>,
    turns: Turns,
}

/// `GET /decisions`
async fn all(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let word = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let Narrow { kind, person, after, format } = narrow;
    let (kind, person) = (word(kind), word(person));
    let bad = |word: &str| Problem::bad(format!("`{}` is no kind of a decision", word.escape_debug()));
    let wanted = kind.as_deref().map(|word| Kind::parse(word).ok_or_else(|| bad(word))).transpose()?;
    let wish = Wish { kind: wanted, person: person.clone(), before: after.clone(), limit: format.rows() };
    let found = decisions(app.engine.reader(), &visit.principal(), visit.now(), &wish).await?;
    let shell = visit.shell(Place::Quality);
    if format == Format::Csv {
        return csv(found.items, &shell.say);
    }
    let words = Words::of(visit.language());
    let address = Address::new("/decisions").with("kind", kind.as_deref()).with("person", person.as_deref());
    let by =
        |value: Option<Kind>, label: &str| Filter::new(&address, "kind", value.map(Kind::word), kind.as_deref(), label);
    let mut kinds = vec![by(None, shell.words.all)];
    kinds.extend(Kind::ALL.iter().map(|kind| by(Some(*kind), words.kind(*kind))));
    let turns = Turns::new(&address, after.as_deref(), found.next.as_deref());
    let rows = found.items.into_iter().map(|one| row(one, &address, &shell, words)).collect();
    let (kind, person) = (kind.unwrap_or_default(), person.unwrap_or_default());
    Ok(page(&All { shell, words, kinds, kind, person, rows, turns }))
}

/// What it is about, and where that is shown.
fn about(about: &About) -> (String, Option<String>) {
    match about {
        About::Step(run, step) => (format!("{run} {step}"), Some(path(&["runs", run]))),
        About::OrderLine(id) => (id.clone(), Some(path(&["order-lines", id]))),
        About::Delivery(id) => (id.clone(), Some(path(&["hand-off", id]))),
        About::Other(text) => (text.clone(), None),
    }
}

fn row(one: Decided, address: &Address, shell: &Shell, words: &Words) -> Row {
    let (name, href) = about(&one.about);
    let exact = shell.say.iso(one.at_us);
    Row {
        kind: words.kind(one.kind),
        about: name,
        href,
        verdict: words.verdict(&one.verdict),
        waits: one.waits,
        by: address.with("person", Some(&one.person)).with("after", None).to_string(),
        at: shell.say.date_time(&exact),
        exact,
        id: one.id,
        reason: one.reason,
        person: one.person,
    }
}

fn csv(found: Vec<Decided>, say: &Say) -> Result<Response, Problem> {
    let head = ["decision", "kind", "about", "verdict", "reason", "person", "at", "waits"];
    let rows = found.into_iter().map(|one| {
        let (kind, about, at) = (one.kind.word().to_owned(), one.about.word(), say.iso(one.at_us));
        let waits = if one.waits { "yes" } else { "" }.to_owned();
        [one.id, kind, about, one.verdict, one.reason, one.person, at, waits]
    });
    list::csv("decisions", head, rows)
}

#[cfg(test)]
mod tests {
    use kentai_workflows::diagnostic::Language;

    use super::*;

    #[test]
    fn a_decision_leads_to_what_it_is_about_and_nothing_breaks_out() {
        let href = |one: About| about(&one).1;
        assert_eq!(href(About::Step("r1".into(), "qc".into())).as_deref(), Some("/runs/r1"));
        assert_eq!(href(About::OrderLine("O1/\"".into())).as_deref(), Some("/order-lines/O1%2F%22"));
        assert_eq!(href(About::Delivery("d1".into())).as_deref(), Some("/hand-off/d1"));
        assert_eq!(href(About::Other("freezer".into())), None);
    }

    #[test]
    fn every_kind_is_called_something_else() {
        for language in [Language::En, Language::Ja] {
            let mut names: Vec<_> = Kind::ALL.iter().map(|kind| Words::of(language).kind(*kind)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), Kind::ALL.len());
        }
    }
}
