//! The wall: the line, what is late and stuck by reason, how long things take, who has what; for four metres away. Nobody is named here: no
//! specimen, no run, no person.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::board::{self, Board, Place as Lies, place};

use super::chart::line::{End, Line, Siding, Stop, WALL};
use super::keep;
use super::markup::Markup;
use super::say::Say;
use super::shell::{Place, Shell, page};
use super::today::parts::{self, Handed, Turn};
use super::today::words::Words;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;

const REASONS: usize = 5;
const TURNS: usize = 5;
const RECEIVERS: usize = 5;

/// Stations that are one on the wall, by the last of each.
const JOINED: [&[Stage]; 11] = [
    &[Stage::Expected],
    &[Stage::Received, Stage::Accessioned],
    &[Stage::InLab],
    &[Stage::Sequencing],
    &[Stage::Sequenced, Stage::Ready],
    &[Stage::Analyzing],
    &[Stage::ReleaseReview],
    &[Stage::Released, Stage::Offered],
    &[Stage::Delivered],
    &[Stage::Acknowledged],
    &[Stage::Archived],
];

pub(super) fn routes() -> Router<App> {
    Router::new().route("/wall", get(show))
}

/// Order lines that wait for the same.
#[derive(Debug)]
struct Reason {
    count: String,
    said: &'static str,
    owner: &'static str,
}

#[derive(Template)]
#[template(path = "wall.html")]
struct Wall {
    shell: Shell,
    words: &'static Words,
    site: String,
    needs: String,
    late: String,
    stuck: String,
    total: String,
    line: Markup,
    reasons: Vec<Reason>,
    reasons_of: String,
    turns: Vec<Turn>,
    /// Why there are none.
    no_turns: &'static str,
    handed: Vec<Handed>,
}

/// `GET /wall`
async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let who = visit.principal();
    board::may_see(&who)?;
    let kept = keep::newest(&app.keeper.today, &app).await?;
    let turnarounds = keep::soon(&app.keeper.turnarounds, &app).await?;
    let board = &kept.value.board;
    let shell = visit.shell(Place::Elsewhere);
    let (words, say) = (Words::of(visit.language()), &shell.say);
    let needs = kept.value.needs.items.iter().filter(|one| one.is_for(&who)).count();
    let (reasons, all) = (reasons(board, say), say.count(board.trouble));
    let shown: i64 = reasons.iter().take(REASONS).map(|(count, ..)| count).sum();
    let month = turnarounds.as_ref().map(|counted| counted.value.month.as_slice());
    let mut turns = parts::turns(month.unwrap_or_default(), words, say);
    turns.truncate(TURNS);
    let mut handed = parts::handed(&board.receivers, &super::today::targets(&app), words, say);
    handed.truncate(RECEIVERS);
    let template = Wall {
        site: app.engine.options().site.clone(),
        needs: say.count(i64::try_from(needs).unwrap_or(i64::MAX)),
        late: say.count(board.late),
        stuck: say.count(board.stuck),
        total: say.count(board.total()),
        line: line(board, words, say).lying(&WALL, "line"),
        reasons_of: shell.words.of_all(&say.count(shown), &all),
        reasons: reasons
            .into_iter()
            .take(REASONS)
            .map(|(count, said, owner)| Reason { count: say.count(count), said, owner })
            .collect(),
        no_turns: if turnarounds.is_some() { words.turnaround_empty } else { words.turnaround_counting },
        turns,
        handed,
        words,
        shell,
    };
    Ok(page(&template))
}

/// For what order lines of a stage wait, and who must act.
fn waits_for(stage: Stage, say: &Say) -> (&'static str, &'static str) {
    let (en, ja) = match stage {
        Stage::Expected => (("waiting for arrival", "institution"), ("到着待ち", "依頼施設")),
        Stage::Received => (("waiting for accession", "reception"), ("受付待ち", "受付")),
        Stage::Accessioned | Stage::InLab => (("waiting for the lab", "lab"), ("ラボ作業待ち", "ラボ")),
        Stage::AwaitingMaterial => (("waiting for new material", "institution"), ("再採取待ち", "依頼施設")),
        Stage::Sequencing => (("waiting for the instrument", "instrument"), ("装置待ち", "装置")),
        Stage::SequenceQcFailed | Stage::AwaitingTopUp => (("waiting for reads", "lab"), ("リード待ち", "ラボ")),
        Stage::Offered | Stage::Delivered => {
            (("waiting for receipts", "data center"), ("受領確認待ち", "データセンター"))
        }
        Stage::Rejected
        | Stage::AnalysisFailed
        | Stage::AnalysisQcFailed
        | Stage::ReleaseReview
        | Stage::Refused
        | Stage::Recalled => (("waiting for a decision", "people"), ("判断待ち", "担当者")),
        Stage::Sequenced
        | Stage::Ready
        | Stage::Analyzing
        | Stage::Released
        | Stage::Acknowledged
        | Stage::Archived
        | Stage::ClosedFailed
        | Stage::Withdrawn
        | Stage::Canceled => (("waiting for the engine", "engine"), ("処理待ち", "エンジン")),
    };
    say.pick(en, ja)
}

/// The most frequent first.
fn reasons(board: &Board, say: &Say) -> Vec<(i64, &'static str, &'static str)> {
    let mut by: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for one in board.stages.iter().filter(|one| one.trouble > 0) {
        *by.entry(waits_for(one.stage, say)).or_default() += one.trouble;
    }
    let mut all: Vec<_> = by.into_iter().map(|((said, owner), count)| (count, said, owner)).collect();
    all.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    all
}

/// The line with its stations joined: the sum is the same.
fn line(board: &Board, words: &Words, say: &Say) -> Line {
    let of = |stages: &[Stage]| board.stages.iter().filter(|one| stages.contains(&one.stage)).collect::<Vec<_>>();
    let moved = |stages: &[Stage]| match stages.last().map(|stage| place(*stage)) {
        Some(Lies::Station(at)) => board.moved.get(at).copied().unwrap_or(0),
        _ => 0,
    };
    let busiest = JOINED.iter().map(|stages| moved(stages)).max().unwrap_or(0).max(1);
    let stops = JOINED.iter().map(|stages| {
        let all = of(stages);
        let most = all.iter().max_by_key(|one| one.count);
        let (count, stuck): (i64, i64) = (all.iter().map(|one| one.count).sum(), all.iter().map(|one| one.stuck).sum());
        let name = match stages.first() {
            Some(Stage::Sequenced) => words.stage(Stage::Ready),
            Some(Stage::Released) => words.stage(Stage::Offered),
            Some(Stage::ReleaseReview) => say.pick("Review", "審査"),
            Some(first) => words.stage(*first),
            None => "",
        };
        let age = most.and_then(|one| one.middle_us).filter(|_| stages.first() != Some(&Stage::Archived));
        Stop {
            name,
            href: String::new(),
            count: say.count(count),
            age: age.map(|at| say.age_us(at)).unwrap_or_default(),
            stuck: (stuck > 0).then(|| (parts::stuck_said(stuck, say), String::new())),
            moved: parts::share(moved(stages), busiest),
            moved_said: String::new(),
            sidings: sidings(board, stages, words, say),
        }
    });
    let total = say.count(board.total());
    let describes = say.pick(format!("{total} order lines by stage"), format!("工程別の依頼{total}件"));
    Line { title: words.line.to_owned(), describes, stops: stops.collect(), ends: Vec::<End>::new() }
}

fn sidings(board: &Board, stages: &[Stage], words: &Words, say: &Say) -> Vec<Siding> {
    let count = |of: &[Stage]| board.stages.iter().filter(|one| of.contains(&one.stage)).map(|one| one.count).sum();
    let (name, of): (&'static str, &[Stage]) = match stages.first() {
        Some(Stage::Received) => (words.stage(Stage::Rejected), &[Stage::Rejected]),
        Some(Stage::InLab) => (words.stage(Stage::AwaitingMaterial), &[Stage::AwaitingMaterial]),
        Some(Stage::Sequencing) => (words.stage(Stage::AwaitingTopUp), &[Stage::AwaitingTopUp]),
        Some(Stage::Sequenced) => (say.pick("Sequence |QC failed", "シーケンス|QC不合格"), &[Stage::SequenceQcFailed]),
        Some(Stage::Analyzing) => {
            (say.pick("Analysis |failed", "解析の|失敗・不合格"), &[Stage::AnalysisFailed, Stage::AnalysisQcFailed])
        }
        Some(Stage::Delivered) => (words.stage(Stage::Refused), &[Stage::Refused]),
        Some(Stage::Acknowledged) => (words.stage(Stage::Recalled), &[Stage::Recalled]),
        Some(Stage::Archived) => (words.closed, &[Stage::ClosedFailed, Stage::Withdrawn, Stage::Canceled]),
        _ => return Vec::new(),
    };
    let count: i64 = count(of);
    if count == 0 {
        return Vec::new();
    }
    let shape = of.first().map_or(super::shape::Shape::Failed, |stage| match stage {
        Stage::ClosedFailed => super::shape::Shape::Canceled,
        stage => parts::siding_shape(*stage),
    });
    vec![Siding { shape, name, href: String::new(), count: say.count(count) }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use kentai_engine::view::center::board::StageCount;
    use kentai_workflows::diagnostic::Language;

    #[test]
    fn the_wall_sums_to_the_same_total() {
        let stages = Stage::ALL.iter().enumerate().map(|(at, stage)| {
            let count = 1 << at.min(40);
            StageCount { stage: *stage, count, middle_us: None, stuck: 0, trouble: 0 }
        });
        let board = Board { stages: stages.collect(), ..Board::default() };
        let say = Say::new(Language::En, TimeZone::UTC, 0);
        let line = line(&board, Words::of(Language::En), &say);
        let number = |text: &str| text.replace(',', "").parse::<i64>().expect("a number");
        let sidings = line.stops.iter().flat_map(|stop| &stop.sidings);
        let sum: i64 = line.stops.iter().map(|stop| number(&stop.count)).sum::<i64>()
            + sidings.map(|siding| number(&siding.count)).sum::<i64>();
        assert_eq!(sum, board.total());
    }
}
