//! The audit log for auditors: its events from the newest back, narrowed in the address, and whether the chain still holds. That somebody
//! read it is written down before anything is shown, as the verb does it; so nothing here is fetched anew by itself.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::scheduler::center::audit::public_key;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::view::center::audit::{self, AuditEvent, AuditPart, AuditWish, Chain, LOOKED_THROUGH};
use serde::Deserialize;
use serde_json::json;

use super::address::Address;
use super::list::{self, Format, Turns};
use super::markup::Markup;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::specimen::text::digest;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// Letters of what was said that a row shows at once.
const SHOWN: usize = 140;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/audit", get(show))
}

/// How the log is narrowed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    kind: Option<String>,
    person: Option<String>,
    about: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    shell: Shell,
    words: &'static Words,
    chain: Vec<(Shown, String)>,
    head: Markup,
    key: String,
    narrow: Narrow,
    narrowed: bool,
    /// What the rows are among, when they were looked for.
    note: String,
    rows: Vec<Row>,
    turns: Turns,
}

/// One event.
struct Row {
    seq: String,
    id: i64,
    at: String,
    kind: (String, String),
    actor: (String, String),
    role: String,
    about: String,
    /// Its own events, and where the thing is shown.
    of: String,
    place: Option<String>,
    /// What was said, cut and whole; whole is empty where nothing was cut.
    said: (String, String),
}

/// `GET /audit`
async fn show(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let who = visit.principal();
    audit::may_see(&who)?;
    let wish = wish(&narrow)?;
    let AuditWish { kind, actor, about, before, .. } = &wish;
    let what = json!({ "kind": kind, "actor": actor, "about": about, "before": before });
    app.engine.center(Request::AuditRead { what: format!("page {what}") }, &visit.who).await?;
    let found = audit::events(app.engine.reader(), &who, &wish).await?;
    if narrow.format == Format::Csv {
        return csv(found.items);
    }
    let place = public_key(&app.engine.options().directory);
    // A site that has none yet has signed nothing.
    let key = tokio::fs::read_to_string(place).await.ok().and_then(|text| Public::parse(text.trim()));
    let chain = audit::chain(app.engine.reader(), &who, key.as_ref()).await?;
    let shell = visit.shell(Place::Audit);
    let words = Words::of(visit.language());
    let address = address(&wish);
    let next = found.next.map(|seq| seq.to_string());
    let narrowed = kind.is_some() || actor.is_some() || about.is_some();
    let template = Audit {
        chain: told(&chain, &shell),
        head: digest(&shell.say, &chain.head),
        key: chain.signed.key.clone(),
        note: note(&found, &chain, words, &shell),
        narrowed,
        turns: Turns::new(&address, narrow.after.as_deref(), next.as_deref()),
        rows: found.items.into_iter().map(|event| row(event, &address, &shell)).collect(),
        narrow,
        words,
        shell,
    };
    Ok(page(&template))
}

fn given(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn wish(narrow: &Narrow) -> Result<AuditWish, Problem> {
    let bad = |text: &str| Problem::bad(format!("`{}` is no event's number", text.escape_debug()));
    let before = narrow.after.as_deref().map(|text| text.parse().map_err(|_| bad(text))).transpose()?;
    let [kind, actor, about] = [&narrow.kind, &narrow.person, &narrow.about].map(|text| given(text.as_ref()));
    Ok(AuditWish { kind, actor, about, before, limit: narrow.format.rows() })
}

fn address(wish: &AuditWish) -> Address {
    Address::new("/audit")
        .with("kind", wish.kind.as_deref())
        .with("person", wish.actor.as_deref())
        .with("about", wish.about.as_deref())
}

/// `50 of 20,100, newest first`
fn note(found: &AuditPart, chain: &Chain, words: &Words, shell: &Shell) -> String {
    let say = &shell.say;
    let (rows, all) = (say.count(i64::try_from(found.items.len()).unwrap_or(i64::MAX)), say.count(chain.events));
    let of = format!("{}{}{}", shell.words.of_all(&rows, &all), say.pick(", ", "・"), words.newest_first);
    let Some(from) = found.from else { return of };
    let (from, most) = (say.count(from), say.count(LOOKED_THROUGH));
    say.pick(
        format!("{of}; looked through back to event {from}, {most} of this kind at a time"),
        format!("{of}・記録{from}まで検索（一度に同じ種類の{most}件）"),
    )
}

fn row(event: AuditEvent, address: &Address, shell: &Shell) -> Row {
    let only = |name, value: &str| address.with(name, Some(value)).to_string();
    let AuditEvent { seq, stream, at, kind, subject, actor, role, body, .. } = event;
    let said = match (subject.as_str(), body.as_str()) {
        ("", "{}") => String::new(),
        (subject, "{}") => subject.to_owned(),
        ("", body) => body.to_owned(),
        (subject, body) => format!("{subject} {body}"),
    };
    // Accounts are for admins alone.
    let knows_people = shell.lists.iter().any(|(href, _)| *href == "/people");
    let cut: String = said.chars().take(SHOWN).collect();
    let said = if cut.len() < said.len() { (format!("{cut}…"), said) } else { (said, String::new()) };
    Row {
        seq: shell.say.count(seq),
        id: seq,
        at,
        kind: (only("kind", &kind), kind),
        actor: (only("person", &actor), actor),
        role: match shell.words.role(&role) {
            "" => role,
            word => word.to_owned(),
        },
        of: only("about", &stream),
        place: place(&stream).filter(|href| knows_people || !href.starts_with("/people/")),
        about: stream,
        said,
    }
}

/// Where the thing of a stream is shown.
fn place(stream: &str) -> Option<String> {
    match stream.split_once(':') {
        None => Some(format!("/runs/{}", super::control::segment(stream))),
        Some(("person", name)) => Some(format!("/people/{}", super::control::segment(name))),
        Some(("proposal", id)) => Some(format!("/proposals/{}", super::control::segment(id))),
        Some(("instrument_run", id)) => Some(format!("/instrument-runs/{}", super::control::segment(id))),
        Some(("shipment", id)) => Some(format!("/shipments/{}", super::control::segment(id))),
        Some((kind, id)) => super::omissions::place(kind, id),
    }
}

fn told(chain: &Chain, shell: &Shell) -> Vec<(Shown, String)> {
    let say = &shell.say;
    let state = |shape: Shape| shape.state(shell.language());
    let links = say.count(i64::try_from(chain.looked_at).unwrap_or(0));
    let links = match chain.broken.as_slice() {
        [] => (
            state(Shape::Passed),
            say.pick(
                format!("Each of the {links} newest events follows from the one before it."),
                format!("最新の記録{links}件は、いずれも直前の記録から正しく連鎖しています。"),
            ),
        ),
        broken => {
            let list: Vec<String> = broken.iter().take(10).map(|seq| say.count(*seq)).collect();
            let list = list.join(say.pick(", ", "、"));
            (
                state(Shape::Failed),
                say.pick(
                    format!("These events do not follow from the one before them: {list}. One of the two was changed."),
                    format!("次の記録は直前の記録から連鎖していません：{list}。どちらかが変更されています。"),
                ),
            )
        }
    };
    vec![links, signature(chain, shell)]
}

fn signature(chain: &Chain, shell: &Shell) -> (Shown, String) {
    let say = &shell.say;
    let (until, all) = (say.count(chain.signed.until), say.count(chain.events));
    let rest = say.count((chain.events - chain.signed.until).max(0));
    let (shape, en, ja) = match (chain.signed.holds, &chain.signed.at) {
        (Some(true), Some(at)) => {
            let at = say.date_time(at);
            (
                Shape::Passed,
                format!(
                    "The site's key signed the log on {at} as it stood at event {until} of {all}, and it still stands so; {rest} came since."
                ),
                format!(
                    "{at}、全{all}件のうち記録{until}までがサイトの鍵で署名され、現在も一致しています。以後{rest}件。"
                ),
            )
        }
        (Some(false), _) => (
            Shape::Failed,
            format!("The checkpoint at event {until} is not the site's, or the log is another than it speaks of."),
            format!("記録{until}時点の署名がサイトの鍵と一致しないか、監査記録が署名時と異なります。"),
        ),
        _ if chain.signed.until > 0 => (
            Shape::Needs,
            "The site's public key is not here to check the checkpoint with.".to_owned(),
            "署名を検証する公開鍵がありません。".to_owned(),
        ),
        _ => (
            Shape::Waiting,
            "No checkpoint was signed yet: the engine signs now and then, and when it ends.".to_owned(),
            "署名はまだありません。署名は定期的に、またエンジンの終了時に行われます。".to_owned(),
        ),
    };
    (shape.state(shell.language()), say.pick(en, ja))
}

fn csv(found: Vec<AuditEvent>) -> Result<Response, Problem> {
    let rows = found.into_iter().map(|event| {
        let AuditEvent { seq, stream, at, kind, subject, actor, role, body, hash } = event;
        [seq.to_string(), at, actor, role, kind, stream, subject, body, hash]
    });
    list::csv("audit", ["event", "at", "by", "role", "what", "about", "subject", "more", "hash"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_leads_to_where_its_thing_is_shown() {
        assert_eq!(place("r0123").as_deref(), Some("/runs/r0123"));
        assert_eq!(place("specimen:S 1").as_deref(), Some("/specimens/S%201"));
        assert_eq!(place("person:sato").as_deref(), Some("/people/sato"));
        assert_eq!(place("checkpoint:000000000000001"), None);
    }
}
