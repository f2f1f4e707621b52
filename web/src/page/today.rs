//! The first page: what needs somebody, the line, what is late, how long things take, what waits, who has what; and below it the rest of the
//! center in short. Everything is counted already when somebody asks; only the few sentences are read then.

pub(super) mod late;
mod panels;
pub(super) mod parts;
pub(super) mod words;

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::needs::Need;
use kentai_engine::view::center::{board, trouble, withdrawal};

use super::chart::line::{Line, PAGE, Stop};
use super::keep;
use super::markup::Markup;
use super::needs::{self, Row};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use late::Late;
use panels::Panel;
use parts::{Handed, Turn, Wait};
use words::Words;

/// Rows of each part: 1 to 6 fit a laptop's screen.
const NEEDS: usize = 7;
const LATE: usize = 5;
const TURNS: usize = 5;
const WAITS: usize = 4;
const RECEIVERS: usize = 4;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(show))
}

/// A stop of the upright line, with its rails.
struct Upright<'a> {
    stop: &'a Stop,
    rail: Markup,
    sidings: Vec<(usize, Markup)>,
}

#[derive(Template)]
#[template(path = "today.html")]
struct Today<'a> {
    shell: Shell,
    words: &'static Words,
    headline: Markup,
    /// How old the numbers are, when they are not of this moment.
    counted: Option<String>,
    needs: Vec<Row>,
    needs_of: String,
    line: &'a Line,
    lying: Markup,
    upright: Vec<Upright<'a>>,
    closed: String,
    total: String,
    late: Vec<Late>,
    late_of: String,
    trouble: String,
    turns: Vec<Turn>,
    /// Why there are none.
    no_turns: &'static str,
    waits: Vec<Wait>,
    waits_of: String,
    queue_all: String,
    handed: Vec<Handed>,
    panels: Vec<Panel>,
}

/// `GET /`. People from outside have a page of their own; who only manages people sees no data, and goes there.
async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let who = visit.principal();
    if who.institution.is_some() {
        return Ok(Redirect::to("/institution").into_response());
    }
    if who.data_center.is_some() {
        return Ok(Redirect::to("/hand-off").into_response());
    }
    if !visit.may(Action::ReadSite) && visit.may(Action::ManagePeople) {
        return Ok(Redirect::to("/people").into_response());
    }
    board::may_see(&who)?;
    let kept = keep::newest(&app.keeper.today, &app).await?;
    let turnarounds = keep::soon(&app.keeper.turnarounds, &app).await?;
    let watching = keep::soon(&app.keeper.watching, &app).await?;
    let (board, today) = (&kept.value.board, &kept.value);
    let seen: Vec<&Need> = today.needs.items.iter().filter(|one| one.is_for(&who)).collect();
    let worst = trouble::worst(app.engine.reader(), &who, visit.now(), LATE, visit.language()).await?;
    let shell = visit.shell(Place::Today);
    let (words, say) = (Words::of(visit.language()), &shell.say);
    let line = parts::line(board, words, say);
    let count = |number: usize| say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let of = |shown: usize, all: String, order: &str| {
        format!("{}{}{order}", shell.words.of_all(&count(shown), &all), say.pick(", ", "・"))
    };
    let shown: Vec<&Need> = seen.iter().take(NEEDS).copied().collect();
    let needs = needs::rows(&app, &visit, &shell, &shown).await?;
    let steps: usize = today.queue.iter().map(|one| one.count).sum();
    let (queue, reasons) = (&today.queue[..today.queue.len().min(WAITS)], today.queue.len());
    let waits_of = say.pick(
        format!("{} steps, {} of {reasons} reasons", count(steps), queue.len()),
        format!("{}ステップ・理由{reasons}件中{}件", count(steps), queue.len()),
    );
    let mut handed = parts::handed(&board.receivers, &targets(&app), words, say);
    handed.truncate(RECEIVERS);
    let month = turnarounds.as_ref().map(|counted| counted.value.month.as_slice());
    let mut turns = parts::turns(month.unwrap_or_default(), words, say);
    turns.truncate(TURNS);
    let late = late::lates(worst, |action| visit.may(action), say);
    let late_of = of(late.len(), say.count(board.trouble), words.worst_first);
    let (trouble, queue_all) = (all_of(&say.count(board.trouble), &shell), all_of(&count(steps), &shell));
    let watching = watching.as_ref().map(|one| &one.value);
    let mut panels = panels::all(&app, board, (watching, withdrawal::may_see(&who).is_ok()), words, say);
    if !visit.may(Action::ReadAudit) {
        panels.iter_mut().for_each(|panel| panel.note_href = None);
    }
    let template = Today {
        headline: parts::headline(board, seen.len(), seen.first().map(|one| one.since_us), say),
        counted: (visit.now() - kept.at_us > 2_000_000).then(|| say.age_us(kept.at_us)),
        needs_of: of(needs.len(), count(seen.len()), words.oldest_first),
        needs,
        lying: line.lying(&PAGE, "line"),
        upright: upright(&line),
        closed: say.count(parts::ended(board)),
        total: parts::total_said(board, say),
        line: &line,
        late,
        late_of,
        trouble,
        no_turns: if turnarounds.is_some() { words.turnaround_empty } else { words.turnaround_counting },
        turns,
        waits: parts::waits(queue, words, say),
        waits_of,
        queue_all,
        handed,
        panels,
        words,
        shell,
    };
    Ok(page(&template))
}

/// `All 20`, `全20件`
fn all_of(count: &str, shell: &Shell) -> String {
    shell.say.pick(format!("All {count}"), format!("全{count}件"))
}

/// Every target of the site.
pub(super) fn targets(app: &App) -> Vec<String> {
    let names: BTreeSet<&String> = app.engine.options().targets.keys().collect();
    names.into_iter().cloned().collect()
}

fn upright(line: &Line) -> Vec<Upright<'_>> {
    let rails = line.rails().into_iter();
    let rows = line.stops.iter().zip(rails).map(|(stop, rails)| {
        let mut rails = rails.into_iter();
        let rail = rails.next().unwrap_or_else(|| askama::filters::Safe(String::new()));
        Upright { stop, rail, sidings: rails.enumerate().collect() }
    });
    rows.collect()
}
