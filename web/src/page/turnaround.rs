//! How long each gate of each assay took, by week: the table beside the strips of the first page.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::board;
use serde::Deserialize;

use super::keep;
use super::list::{self, Format};
use super::shell::{Place, Shell, page};
use super::today::parts::{self, Turn};
use super::today::words::Words;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/turnaround", get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct As {
    #[serde(default)]
    format: Format,
}

/// One week.
struct Week {
    id: String,
    until: String,
    turns: Vec<Turn>,
}

#[derive(Template)]
#[template(path = "turnaround.html")]
struct ByWeek {
    shell: Shell,
    words: &'static Words,
    month: Vec<Turn>,
    weeks: Vec<Week>,
    age: String,
}

/// `GET /turnaround`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<As>) -> Result<Response, Problem> {
    board::may_see(&visit.principal())?;
    let kept = keep::newest(&app.keeper.turnarounds, &app).await?;
    let shell = visit.shell(Place::Today);
    let words = Words::of(visit.language());
    if wanted.format == Format::Csv {
        let head = [
            "week_to",
            "assay",
            "gate",
            "passed",
            "median_days",
            "p75_days",
            "p90_days",
            "target_days",
            "share_in_target",
        ];
        let rows = kept.value.weeks.iter().flat_map(|(until, all)| {
            let until = shell.say.iso(*until);
            all.iter().map(move |one| {
                let number = |number: f64| format!("{number:.3}");
                let days = [one.median_days, one.p75_days, one.p90_days, one.target_days].map(number);
                let [median, p75, p90, target] = days;
                let share = number(one.share_in_target);
                let count = one.count.to_string();
                [until.clone(), one.assay.clone(), one.gate.clone(), count, median, p75, p90, target, share]
            })
        });
        return list::csv("turnaround", head, rows);
    }
    let month = parts::turns(&kept.value.month, words, &shell.say);
    let weeks = kept.value.weeks.iter().filter(|(_, all)| !all.is_empty()).map(|(until, all)| {
        let at = shell.say.iso(*until);
        Week { id: format!("w{until}"), until: shell.say.date(&at), turns: parts::turns(all, words, &shell.say) }
    });
    let (weeks, age) = (weeks.collect(), shell.say.age_us(kept.at_us));
    Ok(page(&ByWeek { shell, words, month, weeks, age }))
}
