//! What nobody expected, brought or answered, by kind. It changes nothing.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::report::{self, MORE_MAX, Omission, OmissionFilter, Omissions};
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// Of each kind, when all kinds are shown.
const FIRST: i64 = 8;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/omissions", get(show))
}

/// Which omissions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "omissions.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    lead: String,
    kinds: Vec<Filter>,
    parts: Vec<Part>,
    /// Where one kind's list goes on.
    turns: Option<Turns>,
    csv: String,
}

/// One kind.
struct Part {
    kind: String,
    heading: &'static str,
    note: String,
    rows: Vec<Row>,
    all: String,
    whole: bool,
}

struct Row {
    id: String,
    href: Option<String>,
    what: &'static str,
    institution: String,
    said: String,
    since: String,
    /// How long it is late, or until when there is time.
    due: String,
    owner: String,
}

/// `GET /omissions`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let who = visit.principal();
    let kind = wanted.kind.clone().filter(|kind| !kind.is_empty());
    let limit = match (wanted.format, &kind) {
        (Format::Csv, _) => list::CSV_ROWS,
        (Format::Page, Some(_)) => list::ROWS,
        (Format::Page, None) => FIRST,
    };
    let filter = OmissionFilter { kind: kind.clone(), after: wanted.after.clone(), limit };
    let found = report::omissions(app.engine.reader(), &who, visit.now(), &filter).await?;
    if wanted.format == Format::Csv {
        return csv(found);
    }
    let shell = visit.shell(Place::Today);
    let words = Words::of(visit.language());
    let address = Address::new("/omissions").with("kind", kind.as_deref());
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "kind", value, kind.as_deref(), label);
    let mut kinds = vec![by(None, shell.words.all)];
    kinds.extend(words.kinds.iter().map(|(word, name)| by(Some(word), name)));
    let total: i64 = found.iter().map(counted).sum();
    let many = found.iter().any(|one| one.more >= MORE_MAX);
    let turns = kind
        .as_ref()
        .and_then(|_| found.first())
        .map(|one| Turns::new(&address, wanted.after.as_deref(), one.next.as_deref()));
    let parts = found.iter().filter(|one| kind.is_some() || !one.items.is_empty());
    let parts: Vec<Part> = parts.map(|one| part(one, wanted.after.is_some(), &shell, words)).collect();
    let template = Page {
        lead: words.lead(&shell.say.count(total), many, total == 0),
        kinds,
        parts,
        turns,
        csv: address.with("format", Some("csv")).to_string(),
        words,
        shell,
    };
    Ok(page(&template))
}

fn counted(one: &Omissions) -> i64 {
    i64::try_from(one.items.len()).unwrap_or(i64::MAX).saturating_add(one.more)
}

fn part(one: &Omissions, later: bool, shell: &Shell, words: &Words) -> Part {
    let say = &shell.say;
    let shown = say.count(i64::try_from(one.items.len()).unwrap_or(i64::MAX));
    let all = say.count(counted(one));
    let all = if one.more >= MORE_MAX { format!("{all}+") } else { all };
    let note = if later { words.rest(&shown, &all) } else { shell.words.of_all(&shown, &all) };
    Part {
        heading: words.kind(&one.kind),
        note: format!("{note}{}{}", say.pick(", ", "・"), words.oldest_first),
        rows: one.items.iter().map(|item| row(item, shell, words)).collect(),
        all: Address::new("/omissions").with("kind", Some(&one.kind)).to_string(),
        whole: one.next.is_none(),
        kind: one.kind.clone(),
    }
}

/// Where a thing is shown; none where it has no page.
pub(super) fn place(kind: &str, id: &str) -> Option<String> {
    let id = super::control::segment(id);
    Some(match kind {
        "specimen" => format!("/specimens/{id}"),
        "order_line" => format!("/order-lines/{id}"),
        "delivery" => format!("/hand-off/{id}"),
        _ => return None,
    })
}

fn row(item: &Omission, shell: &Shell, words: &Words) -> Row {
    let say = &shell.say;
    let (kind, id) = item.thing.split_once(' ').unwrap_or(("", &item.thing));
    let due = item.due.as_deref().and_then(|due| say.seconds_since(due)).map(|late| match late {
        late if late >= 0 => words.late(&say.duration(late)),
        left => words.left(&say.duration(left)),
    });
    Row {
        id: id.to_owned(),
        href: place(kind, id),
        what: words.thing(kind),
        institution: item.institution.clone(),
        said: say.pick(&item.en, &item.ja).clone(),
        since: item.since.clone(),
        due: due.unwrap_or_default(),
        owner: match shell.words.role(&item.owner) {
            "" => words.owner(&item.owner).to_owned(),
            role => role.to_owned(),
        },
    }
}

fn csv(found: Vec<Omissions>) -> Result<Response, Problem> {
    let head = ["kind", "thing", "institution", "said", "said_ja", "since", "due", "owner"];
    let rows = found.into_iter().flat_map(|one| one.items).map(|one| {
        let Omission { kind, thing, institution, en, ja, since, owner, due } = one;
        [kind, thing, institution, en, ja, since, due.unwrap_or_default(), owner]
    });
    list::csv("omissions", head, rows)
}

#[cfg(test)]
mod tests {
    use kentai_workflows::diagnostic::Language;

    use super::*;

    #[test]
    fn every_kind_has_a_heading_in_both_languages() {
        for language in [Language::En, Language::Ja] {
            let words = Words::of(language);
            assert_eq!(words.kinds.len(), 9);
            assert!(words.kinds.iter().all(|(kind, name)| words.kind(kind) == *name && !name.is_empty()));
        }
    }

    #[test]
    fn a_thing_leads_to_its_page_and_nothing_breaks_out() {
        assert_eq!(place("specimen", "S 1/\"").as_deref(), Some("/specimens/S%201%2F%22"));
        assert_eq!(place("lane_library", "x"), None);
    }
}
