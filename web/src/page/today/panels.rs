//! What is below the fold: the rest of the center in a few numbers each, every one a way to its list.

use std::collections::BTreeMap;

use kentai_engine::view::center::board::Board;
use kentai_engine::view::center::quality::Watched;

use super::words::Words;
use crate::App;
use crate::page::address::Address;
use crate::page::keep::Watching;
use crate::page::say::Say;

/// Rows of a panel.
const ROWS: usize = 5;
/// Metrics out of control that are named.
const OUT: usize = 3;

/// One part.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: String,
    /// Where the note leads.
    pub(super) note_href: Option<&'static str>,
    pub(super) more: (&'static str, String),
    pub(super) rows: Vec<Row>,
    /// Said when there are no rows.
    pub(super) empty: &'static str,
}

/// Something and its number.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) said: String,
    pub(super) number: String,
    pub(super) href: String,
    pub(super) beside: String,
}

fn row(said: impl Into<String>, number: String, href: impl ToString) -> Row {
    Row { said: said.into(), number, href: href.to_string(), beside: String::new() }
}

/// All of them, in order.
///
/// `seen`: what is counted beside the line, none while it is still being counted; and whether this reader may see withdrawals.
pub(super) fn all(app: &App, board: &Board, seen: (Option<&Watching>, bool), words: &Words, say: &Say) -> Vec<Panel> {
    let (watching, sees_withdrawals) = seen;
    vec![
        charts(watching.map(|one| one.metrics.as_slice()), words, say),
        failures(board, words, say),
        intake(board, words, say),
        omissions(board, words, say),
        capacity(app, words, say),
        waste(board, words, say),
        schedules(watching.map(|one| one.schedules), words, say),
        withdrawals(board, sees_withdrawals, words, say),
        decisions(board, words, say),
    ]
}

fn panel(
    id: &'static str,
    title: &'static str,
    more: (&'static str, &str),
    rows: Vec<Row>,
    empty: &'static str,
) -> Panel {
    Panel { id, title, note: String::new(), note_href: None, more: (more.0, more.1.to_owned()), rows, empty }
}

/// What passes, what is out of control, and who let pass what did not; none while it is still being counted.
fn charts(watched: Option<&[Watched]>, words: &Words, say: &Say) -> Panel {
    let count = |number: usize| say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let all = watched.unwrap_or_default();
    let (judged, passed) = all.iter().fold((0, 0), |(judged, passed), one| (judged + one.judged, passed + one.passed));
    let mut rows = Vec::new();
    if judged > 0 {
        let share = say.share(super::parts::share(number(passed), number(judged)));
        rows.push(Row { beside: count(judged), ..row(words.pass_rate, share, "/quality") });
    }
    let out: Vec<&Watched> = all.iter().filter(|one| one.broken.iter().any(|rule| !rule.is_warning())).collect();
    if !all.is_empty() {
        let names: Vec<String> = out.iter().take(OUT).map(|one| crate::page::quality::name(&one.metric, say)).collect();
        let beside = names.join(say.pick(", ", "、"));
        rows.push(Row { beside, ..row(words.out_of_control, count(out.len()), "/quality") });
    }
    let mut people: BTreeMap<&str, usize> = BTreeMap::new();
    for (person, times) in all.iter().flat_map(|one| &one.overrides) {
        *people.entry(person).or_default() += times;
    }
    let mut people: Vec<(&str, usize)> = people.into_iter().collect();
    people.sort_by_key(|(person, times)| (std::cmp::Reverse(*times), *person));
    rows.extend(people.into_iter().take(ROWS - 2).map(|(person, times)| {
        row(
            say.pick(format!("{}: {person}", words.overrides), format!("{}：{person}", words.overrides)),
            count(times),
            "/quality",
        )
    }));
    let panel = panel("charts", words.charts, (words.open_charts, "/quality"), rows, words.charts_says);
    let note = if all.is_empty() { String::new() } else { words.charts_note.to_owned() };
    Panel { note, ..panel }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn failures(board: &Board, words: &Words, say: &Say) -> Panel {
    let rows = board.causes.iter().take(ROWS).map(|(cause, count)| {
        let list = Address::new("/failures").with("cause", Some(cause));
        row(words.plain(cause), say.count(*count), list)
    });
    let panel =
        panel("failures", words.failures, (words.all_failures, "/failures"), rows.collect(), words.failures_empty);
    Panel { note: words.failures_note.to_owned(), ..panel }
}

fn of_kind<'a>(board: &'a Board, kind: &'a str) -> impl Iterator<Item = (&'a str, i64)> {
    board.records.iter().filter(move |(known, ..)| known == kind).map(|(_, status, count)| (status.as_str(), *count))
}

fn intake(board: &Board, words: &Words, say: &Say) -> Panel {
    let of = |kind: &str, list: &str| {
        let name = words.plain(kind);
        let rows = of_kind(board, kind).map(|(status, count)| {
            let list = Address::new(list).with("status", Some(status));
            row(format!("{name}{}{}", say.pick(", ", "・"), words.plain(status)), say.count(count), list)
        });
        rows.collect::<Vec<_>>()
    };
    let rows = of("instrument_run", "/instrument-runs").into_iter().chain(of("shipment", "/shipments")).collect();
    panel("intake", words.intake, (words.run_folders, "/instrument-runs"), rows, words.intake_empty)
}

fn omissions(board: &Board, words: &Words, say: &Say) -> Panel {
    let some = board.omissions.iter().filter(|(_, count)| *count > 0);
    let rows = some.map(|(kind, count)| {
        let list = Address::new("/omissions").with("kind", Some(kind));
        row(words.plain(kind), say.count(*count), list)
    });
    panel("omissions", words.omissions, (words.all_omissions, "/omissions"), rows.collect(), words.omissions_empty)
}

fn capacity(app: &App, words: &Words, say: &Say) -> Panel {
    let options = app.engine.options();
    let tools = app.engine.pulse().borrow().tools;
    let mut rows = vec![row(words.slots, format!("{tools} / {}", options.slots), "/capacity")];
    for executor in &options.executors {
        rows.push(Row {
            beside: executor.executor.kind().to_owned(),
            ..row(executor.name(), String::new(), "/capacity")
        });
    }
    // One question to the kernel; a place that cannot be asked is left out.
    if let Ok(disk) = rustix::fs::statvfs(&options.directory) {
        let share = |free: u64, all: u64| {
            let (free, all) = (i64::try_from(free).unwrap_or(i64::MAX), i64::try_from(all).unwrap_or(i64::MAX));
            say.share(super::parts::share(free, all))
        };
        let free = say.bytes(disk.f_bavail.saturating_mul(disk.f_frsize));
        let beside = share(disk.f_bavail, disk.f_blocks);
        rows.push(Row { beside, ..row(words.disk_free, free, "/capacity") });
        if disk.f_files > 0 {
            rows.push(row(words.inodes_free, share(disk.f_favail, disk.f_files), "/capacity"));
        }
    }
    panel("capacity", words.capacity, (words.all_capacity, "/capacity"), rows, "")
}

fn waste(board: &Board, words: &Words, say: &Say) -> Panel {
    let (asked, used, count) = board.memory;
    let bytes = |bytes: i64| say.memory(u64::try_from(bytes).unwrap_or(0));
    let rows = if count == 0 {
        Vec::new()
    } else {
        let used_row = row(words.used, bytes(used), "/capacity");
        vec![
            row(words.asked, bytes(asked), "/capacity"),
            Row { beside: say.share(super::parts::share(used, asked)), ..used_row },
        ]
    };
    let panel = panel("waste", words.waste, (words.all_capacity, "/capacity"), rows, words.waste_empty);
    Panel { note: words.waste_note.to_owned(), ..panel }
}

/// `counted`: those that go on, and those that rest.
fn schedules(counted: Option<(usize, usize)>, words: &Words, say: &Say) -> Panel {
    let of = |status: &str, count: usize| {
        let list = Address::new("/schedules").with("status", Some(status));
        (count > 0).then(|| row(words.plain(status), say.count(number(count)), list))
    };
    let (going, resting) = counted.unwrap_or_default();
    let rows = [of("running", going), of("paused", resting)].into_iter().flatten().collect();
    let empty = if counted.is_some() { words.schedules_empty } else { words.turnaround_counting };
    panel("schedules", words.schedules, (words.all_schedules, "/schedules"), rows, empty)
}

/// Whoever may not see the cases is told how many there are and how long they take, and led nowhere.
fn withdrawals(board: &Board, sees: bool, words: &Words, say: &Say) -> Panel {
    let list = |status: Option<&str>| match sees {
        true => Address::new("/withdrawals").with("status", status).to_string(),
        false => String::new(),
    };
    let told = &board.withdrawn;
    let mut rows: Vec<Row> = of_kind(board, "case")
        .map(|(status, count)| row(words.plain(status), say.count(count), list(Some(status))))
        .collect();
    for (name, spread) in [(words.to_stop, told.to_stop), (words.to_receipt, told.to_receipt)] {
        if let Some(spread) = spread {
            let of = |us: i64| say.duration(us / 1_000_000);
            let beside = format!("{} {}", words.at_most, of(spread.longest_us));
            rows.push(Row { beside, ..row(name, of(spread.middle_us), list(None)) });
        }
    }
    if told.unanswered > 0 {
        rows.push(row(words.unanswered, say.count(told.unanswered), list(None)));
    }
    let more = (words.all_withdrawals, list(None));
    let panel = panel("withdrawals", words.withdrawals, (more.0, more.1.as_str()), rows, words.withdrawals_empty);
    let note = if told.cases > 0 { words.withdrawals_note.to_owned() } else { String::new() };
    Panel { note, ..panel }
}

fn decisions(board: &Board, words: &Words, say: &Say) -> Panel {
    let rows = board.decisions.iter().map(|one| {
        let order = one.subject.strip_prefix("order_line ").unwrap_or(&one.subject);
        let said = format!("{}{}{}", words.plain(&one.way), say.pick(": ", "："), one.reason);
        let href = Address::new(format!("/order-lines/{order}"));
        Row { beside: format!("{}, {}", one.person, say.age_us(one.at_us)), ..row(said, order.to_owned(), href) }
    });
    let (events, signed) = board.chain;
    let panel =
        panel("decisions", words.decisions, (words.all_decided, "/decisions"), rows.collect(), words.decisions_empty);
    let (events, signed) = (say.count(events), say.count(signed));
    let note = say.pick(
        format!("audit chain: {events} events, signed up to {signed}"),
        format!("監査ログ{events}件・{signed}件まで署名済み"),
    );
    Panel { note, note_href: Some("/audit"), ..panel }
}
