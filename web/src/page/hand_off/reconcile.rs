//! Reconciliation: what a receiver says that it has, held against what was sent and what it acknowledged. It changes nothing.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kentai_engine::view::center::board::{self, Receiver};
use kentai_engine::view::reconcile::{Listed, Unlike, differences, sent};
use serde::Deserialize;

use super::act::words::Words;
use super::{STATUSES, shown};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::address::Address;
use crate::page::form::{Posted, Wrong};
use crate::page::keep;
use crate::page::list::Filter;
use crate::page::shape::{Shape, State as Shown};
use crate::page::shell::{Place, Shell, page};
use crate::page::specimen::text::path;
use crate::page::visit::Visit;

/// Deliveries of a target that a page looks through; the verb looks through all of them.
const MOST: usize = 2_000;
/// Differences that are shown.
const SHOWN: usize = 500;

/// Of whom.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    target: String,
}

/// What was sent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    target: String,
    #[serde(default)]
    list: String,
}

/// A difference, in words.
struct Row {
    state: Shown,
    delivery: String,
    href: String,
    path: String,
}

/// What came of a comparison.
struct Compared {
    note: String,
    shown: String,
    rows: Vec<Row>,
    left_out: Option<String>,
}

#[derive(Template)]
#[template(path = "reconcile.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    targets: Vec<Filter>,
    target: String,
    /// State, how many, where they are listed.
    counts: Vec<(Shown, String, String)>,
    oldest: Option<String>,
    list: String,
    compared: Option<Compared>,
    wrong: Wrong,
}

/// `GET /hand-off/reconcile?target=`
pub(super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    board::may_see(&visit.principal())?;
    let target = known(&app, &wanted.target)?;
    show(&app, &visit, Typed { target, list: String::new() }, None, Wrong::default()).await
}

/// The target that is named, or the first; one that is not there is none.
fn known(app: &App, wanted: &str) -> Result<String, Problem> {
    let all = crate::page::today::targets(app);
    match wanted {
        "" => Ok(all.into_iter().next().unwrap_or_default()),
        wanted if all.iter().any(|one| one == wanted) => Ok(wanted.to_owned()),
        wanted => Err(Problem::not_found(format!("there is no target `{}`", wanted.escape_debug()))),
    }
}

async fn show(
    app: &App,
    visit: &Visit,
    typed: Typed,
    compared: Option<Compared>,
    wrong: Wrong,
) -> Result<Response, Problem> {
    let kept = keep::newest(&app.keeper.today, app).await?;
    let shell = visit.shell(Place::HandOff);
    let words = Words::of(visit.language());
    let Typed { target, list } = typed;
    let address = Address::new("/hand-off/reconcile");
    let all = crate::page::today::targets(app);
    let targets = all.iter().map(|one| Filter::new(&address, "target", Some(one), Some(&target), one.as_str()));
    let receiver = kept.value.board.receivers.iter().find(|one| one.target == target);
    let template = Page {
        targets: targets.collect(),
        counts: receiver.map(|one| counts(one, &shell)).unwrap_or_default(),
        oldest: receiver.and_then(|one| one.oldest_us).map(|at| shell.say.age_us(at)),
        target,
        list,
        compared,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    if !template.wrong.is_empty() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn counts(receiver: &Receiver, shell: &Shell) -> Vec<(Shown, String, String)> {
    let row = |(word, ..): &(&str, Shape, &str, &str)| {
        let count = receiver.counts.get(*word).copied().filter(|count| *count > 0)?;
        let list = Address::new("/hand-off").with("status", Some(word)).with("target", Some(&receiver.target));
        Some((shown(word, shell.language()), shell.say.count(count), list.to_string()))
    };
    STATUSES.iter().filter_map(row).collect()
}

/// `POST /hand-off/reconcile`
pub(super) async fn compare(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    board::may_see(&visit.principal())?;
    let words = Words::of(visit.language());
    let target = known(&app, &typed.target)?;
    let mut wrong = Wrong::default();
    if target.is_empty() {
        wrong.say("target", words.target_missing);
        return show(&app, &visit, typed, None, wrong).await;
    }
    let read = rows(&typed.list).map_err(|line| words.bad_row(&line));
    let read = read.and_then(|rows| if rows.is_empty() { Err(words.list_missing.to_owned()) } else { Ok(rows) });
    let listed = match read {
        Ok(listed) => listed,
        Err(said) => {
            wrong.say("list", said);
            return show(&app, &visit, Typed { target, ..typed }, None, wrong).await;
        }
    };
    let (sent, left_out) = sent(app.engine.reader(), &target, &listed, Some(MOST)).await?;
    let found = differences(&sent, &listed);
    let shell = visit.shell(Place::HandOff);
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let row = |one: &kentai_engine::view::reconcile::Difference| Row {
        state: shape(one.what).called(words.unlike(one.what)),
        href: path(&["hand-off", &one.delivery]),
        delivery: one.delivery.clone(),
        path: one.path.clone(),
    };
    let compared = Compared {
        note: words.compared(&count(listed.len()), &count(sent.len())),
        shown: shell.words.of_all(&count(found.len().min(SHOWN)), &count(found.len())),
        rows: found.iter().take(SHOWN).map(row).collect(),
        left_out: left_out.then(|| words.newest_only(&count(MOST))),
    };
    show(&app, &visit, Typed { target, ..typed }, Some(compared), wrong).await
}

fn shape(what: Unlike) -> Shape {
    match what {
        Unlike::OtherBytes | Unlike::NotThere => Shape::Failed,
        Unlike::NotSent => Shape::Needs,
        Unlike::NotAcknowledged => Shape::Warned,
    }
}

/// The rows of a list; else the line that cannot be read.
fn rows(text: &str) -> Result<Vec<Listed>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start().as_bytes());
    let rows = reader.deserialize().zip(2_usize..).map(|(row, line)| row.map_err(|_: csv::Error| line.to_string()));
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_by_the_names_of_its_columns_and_a_bad_row_is_named() {
        let read = rows("sha256,delivery,path\r\nab, d1 ,data/a\r\n").expect("read");
        assert_eq!(read, [Listed { delivery: "d1".into(), path: "data/a".into(), sha256: "ab".into() }]);
        assert_eq!(rows("delivery,path\nd1,data/a\n"), Err("2".into()));
        assert_eq!(rows("").map(|rows| rows.len()), Ok(0));
    }
}
