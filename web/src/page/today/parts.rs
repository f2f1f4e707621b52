//! The parts of the first page that the wall and the lists show too: from counts to rows of words. It asks nothing.

use askama::filters::Safe;
use kentai_engine::decide::admit::Lack;
use kentai_engine::scheduler::queue::{Waiting, Waits};
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::board::{Board, Place, Receiver, STATIONS, place};
use kentai_engine::view::center::report::Turnaround;

use super::words::Words;
use crate::page::address::Address;
use crate::page::chart::line::{End, Line, Siding, Stop};
use crate::page::chart::strip::strip;
use crate::page::markup::{Markup, text};
use crate::page::say::Say;
use crate::page::shape::Shape;

/// Where order lines of a stage are listed.
pub(crate) fn stage_href(stage: Stage) -> String {
    Address::new("/order-lines").with("stage", Some(stage.word())).to_string()
}

fn stuck_href(stage: Stage) -> String {
    Address::new("/order-lines").with("stage", Some(stage.word())).with("stuck", Some("1")).to_string()
}

pub(crate) fn stuck_said(count: i64, say: &Say) -> String {
    let count = say.count(count);
    say.pick(format!("{count} stuck"), format!("停滞{count}"))
}

pub(crate) fn siding_shape(stage: Stage) -> Shape {
    match stage {
        Stage::AwaitingMaterial | Stage::AwaitingTopUp => Shape::Waiting,
        Stage::Recalled => Shape::Canceled,
        _ => Shape::Failed,
    }
}

/// The line of the page: every stage, so that the numbers sum to the total.
pub(crate) fn line(board: &Board, words: &Words, say: &Say) -> Line {
    let busiest = board.moved.iter().copied().max().unwrap_or(0).max(1);
    let stops = STATIONS.iter().enumerate().map(|(at, stage)| {
        let one = board.stage(*stage);
        let (count, stuck) = one.map_or((0, 0), |one| (one.count, one.stuck));
        let age = one.and_then(|one| one.middle_us).filter(|_| *stage != Stage::Archived);
        let moved = board.moved.get(at).copied().unwrap_or(0);
        let sidings = board.stages.iter().filter(|one| place(one.stage) == Place::Siding(at) && one.count > 0);
        let sidings = sidings.map(|one| Siding {
            shape: siding_shape(one.stage),
            name: words.stage(one.stage),
            href: stage_href(one.stage),
            count: say.count(one.count),
        });
        // What is stuck beside the line is said at its station as well: somebody must look there.
        Stop {
            name: words.stage(*stage),
            href: stage_href(*stage),
            count: say.count(count),
            age: age.map(|since| say.age_us(since)).unwrap_or_default(),
            stuck: (stuck > 0).then(|| (stuck_said(stuck, say), stuck_href(*stage))),
            moved: share(moved, busiest),
            moved_said: say.pick(
                format!("{} moved on in the last 24 h", say.count(moved)),
                format!("過去24時間に{}件が次へ", say.count(moved)),
            ),
            sidings: sidings.collect(),
        }
    });
    let ends = board.stages.iter().filter(|one| place(one.stage) == Place::End);
    let ends =
        ends.map(|one| End { name: words.stage(one.stage), href: stage_href(one.stage), count: say.count(one.count) });
    let total = say.count(board.total());
    Line {
        title: words.line.to_owned(),
        describes: say.pick(
            format!(
                "{total} order lines from expected to archived, by stage; the list below the drawing says the same."
            ),
            format!("到着予定から保管済みまでの依頼{total}件を工程別に示す。同じ内容の一覧が下にある。"),
        ),
        stops: stops.collect(),
        ends: ends.collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day")]
pub(crate) fn share(part: i64, all: i64) -> f64 {
    part as f64 / all.max(1) as f64
}

/// How many order lines there are, each once.
pub(crate) fn total_said(board: &Board, say: &Say) -> String {
    let total = say.count(board.total());
    let lines = if board.total() == 1 { "order line" } else { "order lines" };
    say.pick(format!("{total} {lines}, each counted once"), format!("依頼{total}件・重複なし"))
}

/// How long a gate took.
pub(crate) struct Turn {
    pub(crate) assay: String,
    pub(crate) gate: String,
    pub(crate) count: String,
    pub(crate) target: String,
    pub(crate) strip: Markup,
    pub(crate) median: String,
    pub(crate) p75: String,
    pub(crate) p90: String,
    pub(crate) share: String,
    pub(crate) paused: String,
    pub(crate) paused_is_zero: bool,
}

/// Gates that are looked at first, first.
const GATES: [&str; 8] = ["analysis", "total", "lab", "sequencing", "receipt", "delivery", "accession", "arrival"];

/// Rows of turnaround, what is promised to somebody outside first.
pub(crate) fn turns(all: &[Turnaround], words: &Words, say: &Say) -> Vec<Turn> {
    let rank = |one: &Turnaround| GATES.iter().position(|gate| *gate == one.gate).unwrap_or(GATES.len());
    let mut sorted: Vec<&Turnaround> = all.iter().collect();
    sorted.sort_by(|one, other| (rank(one), &one.assay).cmp(&(rank(other), &other.assay)));
    sorted.into_iter().map(|one| turn(one, words, say)).collect()
}

fn turn(one: &Turnaround, words: &Words, say: &Say) -> Turn {
    let gate = words.turn(&one.gate);
    let (median, p75, p90) = (say.tenth(one.median_days), say.tenth(one.p75_days), say.tenth(one.p90_days));
    let target = format!("{:.0}", one.target_days);
    let said = say.pick(
        format!("{} {gate}: median {median}, 75th {p75}, 90th {p90} of {target} days", one.assay),
        format!("{} {gate}：中央値{median}日、75%点{p75}日、90%点{p90}日、目標{target}日", one.assay),
    );
    Turn {
        assay: one.assay.clone(),
        gate,
        count: say.count(i64::try_from(one.count).unwrap_or(i64::MAX)),
        strip: strip(one.median_days, one.p75_days, one.p90_days, one.target_days, &said),
        target,
        median,
        p75,
        p90,
        share: say.share(one.share_in_target),
        paused: format!("{:.0}", one.paused_days),
        paused_is_zero: one.paused_days < 0.5,
    }
}

/// Steps that wait for one thing.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) step: String,
    pub(crate) href: String,
    pub(crate) count: String,
    pub(crate) said: String,
    /// When the first of them is likely to start; empty: nobody can tell.
    pub(crate) starts: String,
    pub(crate) ahead: String,
    pub(crate) ahead_is_zero: bool,
    pub(crate) since: String,
}

/// Rows of the queue.
pub(crate) fn waits(all: &[Waiting], words: &Words, say: &Say) -> Vec<Wait> {
    all.iter()
        .map(|one| {
            let begun = !one.step.is_empty();
            let list = Address::new("/runs").with("status", Some(if begun { "running" } else { "queued" }));
            Wait {
                step: if begun { one.step.clone() } else { words.not_begun.to_owned() },
                href: list.to_string(),
                count: say.count(i64::try_from(one.count).unwrap_or(i64::MAX)),
                said: waits_said(&one.waits, say),
                starts: one.starts_us.map(|at| about(at, say)).unwrap_or_default(),
                ahead: say.count(i64::try_from(one.ahead).unwrap_or(i64::MAX)),
                ahead_is_zero: one.ahead == 0,
                since: say.age_us(one.since_us),
            }
        })
        .collect()
}

/// `about 3 h`: what like steps took promises nothing to the minute.
fn about(at_us: i64, say: &Say) -> String {
    let seconds = -say.seconds_since(&say.iso(at_us)).unwrap_or_default();
    let rough = match seconds {
        ..300 => return say.pick("within minutes", "まもなく").to_owned(),
        300..3_600 => seconds / 300 * 300,
        3_600..86_400 => (seconds + 1_800) / 3_600 * 3_600,
        _ => (seconds + 43_200) / 86_400 * 86_400,
    };
    let rough = say.duration(rough);
    say.pick(format!("about {rough}"), format!("約{rough}"))
}

fn lack_said(lack: &Lack, say: &Say) -> String {
    match lack {
        Lack::Slots { used, total } => say.pick(
            format!("a free slot; {used} of {total} taken"),
            format!("空きスロット（{total}のうち{used}を使用中）"),
        ),
        Lack::Cpus { wish, used, total } => say.pick(
            format!("{wish} cores; {used} of {total} taken"),
            format!("{wish}コア（{total}のうち{used}を使用中）"),
        ),
        Lack::Memory { wish, used, total } => {
            let [wish, used, total] = [*wish, *used, *total].map(|bytes| say.memory(bytes));
            say.pick(
                format!("{wish} of memory; {used} of {total} taken"),
                format!("メモリ{wish}（{total}のうち{used}を使用中）"),
            )
        }
        Lack::Disk { wish, used, total } => {
            let [wish, used, total] = [*wish, *used, *total].map(|bytes| say.bytes(bytes));
            say.pick(
                format!("{wish} of disk; {used} of {total} taken"),
                format!("ディスク{wish}（{total}のうち{used}を使用中）"),
            )
        }
    }
}

fn waits_said(waits: &Waits, say: &Say) -> String {
    match waits {
        Waits::Resource(lack) => lack_said(lack, say),
        Waits::Executor { name, lack } => {
            let lack = lack_said(lack, say);
            say.pick(format!("{lack}, at {name}"), format!("{name}の{lack}"))
        }
        Waits::Drained { name, by } => {
            say.pick(format!("{name}, drained by {by}"), format!("{name}（{by}が受付停止中）"))
        }
        Waits::Away { name } => say.pick(format!("{name}, which does not answer"), format!("{name}（応答なし）")),
        Waits::Time { at_us, reason } => {
            let at = say.date_time(&say.iso(*at_us));
            say.pick(format!("not before {at}: {reason}"), format!("{at}まで：{reason}"))
        }
        Waits::Held { by } => say.pick(format!("held by {by}"), format!("{by}が保留中")),
        Waits::Stopped { by } => say.pick(format!("the site was stopped by {by}"), format!("{by}がサイト全体を停止中")),
        Waits::Engine => say.pick("no engine runs here", "エンジンが動いていません").to_owned(),
        Waits::Consent => say.pick("consent does not allow it", "同意の範囲外です").to_owned(),
        Waits::Limit { max } => say.pick(format!("limit {max} at once"), format!("同時{max}件まで")),
        Waits::Turn => say.pick("its turn", "順番").to_owned(),
        Waits::Broken { reason } => reason.clone(),
    }
}

/// What one receiver has.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) target: String,
    pub(crate) href: String,
    /// Offered, delivered, acknowledged, refused; beside the first two what is on its way between.
    pub(crate) cells: [Count; 4],
    pub(crate) oldest: String,
    pub(crate) contact: String,
}

/// A number that leads to its list.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) count: String,
    pub(crate) href: String,
    pub(crate) is_zero: bool,
    pub(crate) beside: Option<(String, String)>,
    pub(crate) alarms: bool,
}

/// Rows of the hand-off board: every target of the site, and whoever else was given something.
pub(crate) fn handed(receivers: &[Receiver], targets: &[String], words: &Words, say: &Say) -> Vec<Handed> {
    let without = targets.iter().filter(|target| receivers.iter().all(|one| one.target != **target));
    let without = without.map(|target| Receiver { target: target.clone(), ..Receiver::default() });
    let mut all: Vec<Receiver> = receivers.iter().cloned().chain(without).collect();
    all.sort_by(|one, other| one.target.cmp(&other.target));
    all.iter().map(|one| handed_to(one, words, say)).collect()
}

fn handed_to(one: &Receiver, words: &Words, say: &Say) -> Handed {
    let list = Address::new("/hand-off").with("target", Some(&one.target));
    let of = |status: &str| one.counts.get(status).copied().unwrap_or(0);
    let href = |status: &str| list.with("status", Some(status)).to_string();
    let cell = |status: &str, beside: Option<(&str, &str)>| Count {
        count: say.count(of(status)),
        href: href(status),
        is_zero: of(status) == 0,
        beside: beside
            .filter(|(status, _)| of(status) > 0)
            .map(|(status, word)| (format!("+{} {word}", say.count(of(status))), href(status))),
        alarms: status == "refused" && of(status) > 0,
    };
    let age = |at: Option<i64>| at.map(|at| say.age_us(at)).unwrap_or_default();
    Handed {
        cells: [
            cell("offered", Some(("pulling", words.fetching))),
            cell("delivered", Some(("partly_acknowledged", words.partly))),
            cell("acknowledged", None),
            cell("refused", None),
        ],
        target: one.target.clone(),
        href: list.to_string(),
        oldest: age(one.oldest_us),
        contact: age(one.contact_us),
    }
}

/// The headline: what needs somebody, in one sentence whose numbers lead to their lists.
pub(crate) fn headline(board: &Board, needs: usize, oldest_us: Option<i64>, say: &Say) -> Markup {
    let needs = i64::try_from(needs).unwrap_or(i64::MAX);
    let (late, soon, stuck) = (board.late, board.soon, board.stuck);
    let link = |href: &str, inside: String| format!(r#"<a href="{}">{inside}</a>"#, text(href));
    let bold = |count: i64| format!("<b>{}</b>", say.count(count));
    let one = |count: i64, one: &'static str, many: &'static str| if count == 1 { one } else { many };
    let oldest = oldest_us.map(|at| text(say.age_us(at)));
    let en = || {
        let oldest = oldest.as_ref().map(|age| format!(", the oldest for {age}")).unwrap_or_default();
        format!(
            "{}{oldest}. {}, {}, {}.",
            link("/needs", format!("{} {}", bold(needs), one(needs, "thing needs a person", "things need a person"))),
            link(
                "/order-lines?late=1",
                format!("{} {}", bold(late), one(late, "order line is late", "order lines are late"))
            ),
            link("/order-lines?soon=1", format!("{} {} due within 3 days", bold(soon), one(soon, "is", "are"))),
            link("/order-lines?stuck=1", format!("{} {} stuck", bold(stuck), one(stuck, "is", "are"))),
        )
    };
    let ja = || {
        let oldest = oldest.as_ref().map(|age| format!("、最長で{age}")).unwrap_or_default();
        format!(
            "{}{oldest}。{}、{}、{}あります。",
            link("/needs", format!("要対応が{}件", bold(needs))),
            link("/order-lines?late=1", format!("期限超過が{}件", bold(late))),
            link("/order-lines?soon=1", format!("3日以内の期限が{}件", bold(soon))),
            link("/order-lines?stuck=1", format!("停滞が{}件", bold(stuck))),
        )
    };
    Safe(say.pick(en(), ja()))
}

/// Order lines that left the line for good.
pub(crate) fn ended(board: &Board) -> i64 {
    board.stages.iter().filter(|one| place(one.stage) == Place::End).map(|one| one.count).sum()
}
