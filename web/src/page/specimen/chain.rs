//! Whether the log can be believed for one specimen, and its events one by one as the log keeps them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::scheduler::center::audit::public_key;
use kentai_engine::view::center::story::{EventProof, Proof, events, proof};
use serde::Deserialize;

use super::super::address::Address;
use super::super::list::{self, Format, Turns};
use super::super::markup::Markup;
use super::super::shape::{Shape, State as Shown};
use super::super::shell::{Place, Shell, page};
use super::super::visit::Visit;
use super::text::{digest, path};
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

#[derive(Template)]
#[template(path = "specimen_chain.html")]
struct Chain {
    shell: Shell,
    words: &'static Words,
    id: String,
    back: String,
    events: String,
    found: Vec<(Shown, String)>,
    whole: String,
    root: Markup,
}

#[derive(Template)]
#[template(path = "specimen_events.html")]
struct Events {
    shell: Shell,
    words: &'static Words,
    id: String,
    back: String,
    chain: String,
    rows: Vec<(EventProof, Markup, Shown)>,
    turns: Turns,
}

/// Which part of the events.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// `GET /specimens/{id}/chain`: its events hashed again, and the newest checkpoint looked at.
pub(super) async fn show(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let place = public_key(&app.engine.options().directory);
    // A site that has none yet has signed nothing.
    let key = tokio::fs::read_to_string(place).await.ok().and_then(|text| Public::parse(text.trim()));
    let found = proof(app.engine.reader(), &visit.principal(), &id, key.as_ref()).await?;
    let shell = visit.shell(Place::Specimens);
    let root = digest(&shell.say, &found.head);
    Ok(page(&Chain {
        words: Words::of(visit.language()),
        back: path(&["specimens", &id]),
        events: path(&["specimens", &id, "events"]),
        found: told(&found, &shell),
        whole: whole(&found, &shell),
        root,
        id,
        shell,
    }))
}

fn told(found: &Proof, shell: &Shell) -> Vec<(Shown, String)> {
    let say = &shell.say;
    let state = |shape: Shape| shape.state(shell.language());
    let count = |number: i64| say.count(number);
    let events = count(i64::try_from(found.events).unwrap_or(0));
    let mut lines = Vec::new();
    lines.push(match found.broken.as_slice() {
        [] => (
            state(Shape::Passed),
            say.pick(
                format!("Each of its {events} events follows from the one before it in the log."),
                format!("この検体の記録{events}件は、いずれも直前の記録から正しく連鎖しています。"),
            ),
        ),
        broken => {
            let list: Vec<String> = broken.iter().take(10).map(|seq| count(*seq)).collect();
            let list = list.join(say.pick(", ", "、"));
            (
                state(Shape::Failed),
                say.pick(
                    format!("These events do not follow from the one before them: {list}. One of the two was changed."),
                    format!("次の記録は直前の記録から連鎖していません：{list}。どちらかが変更されています。"),
                ),
            )
        }
    });
    if found.more {
        lines.push((
            state(Shape::Warned),
            say.pick(
                "It has more events than are looked at here; `kentai admin audit verify` looks at all.".to_owned(),
                "記録が多いため一部のみ検証しました。全体は `kentai admin audit verify` で検証できます。".to_owned(),
            ),
        ));
    }
    let until = count(found.signed_until);
    lines.push(match (found.signature, &found.signed_at) {
        (Some(true), Some(at)) => {
            let at = say.date_time(at);
            let covers = found.newest <= found.signed_until;
            let rest = if covers { say.pick("all of these are among them", "この検体の記録はすべて含まれます") } else { say.pick("the newest of these come after it", "最新の記録はまだ含まれません") };
            (state(Shape::Passed), say.pick(
                format!("The site's key signed the log on {at} as it stood at event {until}, and it still stands so; {rest}."),
                format!("{at}、記録{until}までがサイトの鍵で署名され、現在も一致しています。{rest}。"),
            ))
        }
        (Some(false), _) => (state(Shape::Failed), say.pick(
            format!("The checkpoint at event {until} is not the site's, or the log is another than it speaks of."),
            format!("記録{until}時点の署名がサイトの鍵と一致しないか、監査記録が署名時と異なります。"),
        )),
        (_, _) if found.signed_until > 0 => (state(Shape::Needs), say.pick(
            "The site's public key is not here to check the checkpoint with.".to_owned(),
            "署名を検証する公開鍵がありません。".to_owned(),
        )),
        _ => (state(Shape::Waiting), say.pick(
            "No checkpoint was signed yet: the engine signs now and then, and when it ends.".to_owned(),
            "署名はまだありません。署名は定期的に、またエンジンの終了時に行われます。".to_owned(),
        )),
    });
    lines
}

fn whole(found: &Proof, shell: &Shell) -> String {
    let log = shell.say.count(found.log);
    shell.say.pick(
        format!("The log has {log} events. All of it is verified from an export, without this site: kentai admin audit verify."),
        format!("監査記録は全{log}件。全体の検証は書き出したファイルで行えます（サイト不要）：kentai admin audit verify"),
    )
}

/// `GET /specimens/{id}/events`
pub(super) async fn list(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(turn): Asked<Turn>,
) -> Result<Response, Problem> {
    let after = match turn.after.as_deref() {
        None => 0,
        Some(text) => {
            text.parse().map_err(|_| Problem::bad(format!("`{}` is no event's number", text.escape_debug())))?
        }
    };
    let found = events(app.engine.reader(), &visit.principal(), &id, after, turn.format.rows()).await?;
    if turn.format == Format::Csv {
        let rows = found.items.into_iter().map(|event| {
            let EventProof { seq, of, at, kind, actor, role, hash, follows } = event;
            [seq.to_string(), of, at, kind, actor, role, hash, follows.to_string()]
        });
        return list::csv("events", ["event", "of", "at", "kind", "actor", "role", "hash", "follows"], rows);
    }
    let shell = visit.shell(Place::Specimens);
    let address = Address::new(path(&["specimens", &id, "events"]));
    let turns = Turns::new(&address, turn.after.as_deref(), found.next.as_deref());
    let state = |good: bool| if good { Shape::Passed } else { Shape::Failed }.state(shell.language());
    let rows = found
        .items
        .into_iter()
        .map(|event| (event.clone(), digest(&shell.say, &event.hash), state(event.follows)))
        .collect();
    let (back, chain) = (path(&["specimens", &id]), path(&["specimens", &id, "chain"]));
    Ok(page(&Events { words: Words::of(visit.language()), id, back, chain, rows, turns, shell }))
}
