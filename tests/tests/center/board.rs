//! The first page's counts against the events that they are of: every order line once, wherever it stands.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::state::order::{Event, Stage};
use kentai_engine::store::read::OrderFilter;
use kentai_engine::view::center;
use kentai_engine::view::center::board::{self, Place, STATIONS, place};
use kentai_engine::view::center::needs::{self, Kind};
use kentai_engine::view::center::trouble;
use kentai_tests::house::{House, Plan, person};
use kentai_tests::seed::{Seed, fill};
use kentai_workflows::diagnostic::Language;

const DAY_US: i64 = 86_400_000_000;

/// Where an order line stands after its events, since when, and which stations it passed after `after`.
struct Fold {
    stage: Stage,
    since_us: i64,
    passed: Vec<std::ops::Range<usize>>,
}

async fn fold(house: &House, id: &str, created_us: i64, after: i64) -> Result<Fold> {
    let mut fold = Fold { stage: Stage::Expected, since_us: created_us, passed: Vec::new() };
    let at = |stage: Stage| match place(stage) {
        Place::Station(at) | Place::Siding(at) => Some(at),
        Place::End => None,
    };
    for event in house.handle().reader().stream(&format!("order_line:{id}")).await? {
        let Some(next) = Event::parse(&event.kind).and_then(|kind| fold.stage.next(kind).ok()) else { continue };
        if let (Some(from), Some(to)) = (at(fold.stage), at(next))
            && from < to
            && event.at_us >= after
        {
            fold.passed.push(from..to);
        }
        (fold.stage, fold.since_us) = (next, event.at_us);
    }
    Ok(fold)
}

async fn filled(specimens: usize, number: u64) -> Result<(House, Clock)> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let house = House::with(Plan { clock: clock.clone(), ..Plan::default() }).await?;
    fill(house.handle(), &clock, Seed { specimens, number }).await?;
    Ok((house, clock))
}

#[tokio::test]
async fn the_board_is_what_the_events_fold_to_and_sums_to_the_total() -> Result<()> {
    for number in [3, 11] {
        let (house, clock) = filled(300, number).await?;
        let reader = house.handle().reader();
        // A few go ways of their own.
        let who = person("suzuki", "operator");
        let some = reader.order_lines(&OrderFilter { limit: 40, ..OrderFilter::default() }).await?;
        for line in some.iter().step_by(7) {
            let (order_line, reason) = (line.order_line_id.clone(), "asked for".to_owned());
            house.handle().center(Request::Cancel { order_line, reason }, &who).await?;
        }
        clock.advance(5 * 3_600_000_000);
        let now = clock.now();
        let board = board::count(reader, now).await?;
        let lines = reader.order_lines(&OrderFilter { limit: 1_000, ..OrderFilter::default() }).await?;
        ensure!(lines.len() == 300 && board.total() == 300, "{} of {}", board.total(), lines.len());
        let (mut since, mut moved) = (BTreeMap::<&str, Vec<i64>>::new(), [0; STATIONS.len()]);
        for line in &lines {
            let fold = fold(&house, &line.order_line_id, line.created_us, now - DAY_US).await?;
            ensure!(fold.stage.word() == line.stage, "{} is {} and {}", line.order_line_id, line.stage, fold.stage);
            since.entry(fold.stage.word()).or_default().push(fold.since_us);
            fold.passed.into_iter().flatten().for_each(|at: usize| moved[at] += 1);
        }
        for one in &board.stages {
            let mut of = since.remove(one.stage.word()).unwrap_or_default();
            of.sort_unstable();
            ensure!(one.count == i64::try_from(of.len())?, "{}: {} and {}", one.stage, one.count, of.len());
            ensure!(
                one.middle_us == of.get(of.len().saturating_sub(1) / 2).copied(),
                "{}: {:?}",
                one.stage,
                one.middle_us
            );
            let here = lines.iter().filter(|line| line.stage == one.stage.word());
            let stuck = here.filter(|line| line.expect_us <= now).count();
            ensure!(one.stuck == i64::try_from(stuck)?, "{}: {} stuck and {stuck}", one.stage, one.stuck);
        }
        ensure!(board.moved == moved, "{:?} and {moved:?}", board.moved);
        ensure!(moved.iter().sum::<i64>() > 0, "nothing moved within a day: the test sees nothing");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_late_soon_or_stuck_is_counted_once_and_the_worst_is_listed_first() -> Result<()> {
    let (house, clock) = filled(200, 5).await?;
    let reader = house.handle().reader();
    clock.advance(40 * DAY_US);
    let now = clock.now();
    let board = board::count(reader, now).await?;
    let lines = reader.order_lines(&OrderFilter { limit: 1_000, ..OrderFilter::default() }).await?;
    let counts = |stage: &str| {
        let at = Stage::parse(stage);
        at.is_some_and(|at| !at.is_end() && !matches!(at, Stage::Acknowledged | Stage::AwaitingMaterial))
    };
    let is_due = |by: i64| lines.iter().filter(|line| counts(&line.stage) && line.due_us <= by).count();
    let wanted = lines
        .iter()
        .filter(|line| line.expect_us <= now || (counts(&line.stage) && line.due_us <= now + board::SOON_US));
    let (late, all) = (is_due(now), wanted.count());
    ensure!(board.late == i64::try_from(late)? && board.trouble == i64::try_from(all)?, "{late} {all} {board:?}");
    ensure!(board.stages.iter().map(|one| one.trouble).sum::<i64>() == board.trouble, "the stages sum to the whole");
    let who = person("suzuki", "operator").principal();
    let worst = trouble::worst(reader, &who, now, 500, Language::En).await?;
    ensure!(worst.len() == all, "{} of {all}", worst.len());
    ensure!(worst.is_sorted_by_key(|one| (one.worry, one.at_us)), "the worst is not first");
    ensure!(worst.iter().all(|one| !one.said.is_empty()), "one has no reason");
    let hospital = kentai_engine::people::permission::Principal {
        institution: Some("H7".into()),
        ..person("h7", "institution").principal()
    };
    ensure!(trouble::worst(reader, &hospital, now, 5, Language::En).await.is_err(), "somebody from outside sees it");
    ensure!(board::may_see(&hospital).is_err(), "somebody from outside sees the board");
    Ok(())
}

#[tokio::test]
async fn whatever_waits_for_a_decision_is_listed_once_and_gone_when_it_was_decided() -> Result<()> {
    let (house, clock) = filled(200, 5).await?;
    let reader = house.handle().reader();
    let stand = |needs: &needs::Needs| needs.items.iter().filter(|one| one.kind == Kind::Reads).count();
    let before = needs::gather(reader, clock.now()).await?;
    let stages: BTreeMap<String, i64> =
        center::stages(reader, &person("suzuki", "operator").principal()).await?.into_iter().collect();
    let short = usize::try_from(stages["sequence_qc_failed"])?;
    ensure!(short > 1 && stand(&before) == short, "{} of {short}", stand(&before));
    ensure!(before.items.is_sorted_by_key(|one| one.since_us), "the oldest is not first");
    let first = before.items.iter().find(|one| one.kind == Kind::Reads).context("one is short")?;
    let said = first.say(reader, clock.now(), Language::En).await?;
    ensure!(said.contains("594.6 M of 600.0 M"), "{said}");
    ensure!(!first.may(&person("suzuki", "operator").principal()), "an operator decides no quality question");
    ensure!(first.may(&person("tanaka", "reviewer").principal()), "a reviewer does");
    let needs::About::OrderLine(order_line, _) = first.about.clone() else { anyhow::bail!("it is an order line") };
    let hold = Request::Hold { order_line: order_line.clone(), reason: "wait".into() };
    house.handle().center(hold, &person("suzuki", "operator")).await?;
    ensure!(stand(&needs::gather(reader, clock.now()).await?) == short - 1, "what is held waits for nobody");
    let reviewer = person("tanaka", "reviewer");
    house.handle().center(Request::Resume { order_line: order_line.clone() }, &reviewer).await?;
    let way = Request::Decide { order_line, way: "top_up".into(), code: String::new(), reason: "short".into() };
    house.handle().center(way, &reviewer).await?;
    ensure!(stand(&needs::gather(reader, clock.now()).await?) == short - 1, "what was decided waits for nobody");
    Ok(())
}
