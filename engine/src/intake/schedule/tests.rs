//! Wall clocks that jump, times that were missed, lines that are refused.

use super::*;

fn micros(text: &str) -> Micros {
    text.parse::<Timestamp>().expect("a time").as_microsecond()
}

fn times(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let mut at = micros(after);
    let mut times = Vec::new();
    while times.len() < count {
        let Some(next) = schedule.next(at) else { break };
        times.push(Timestamp::from_microsecond(next).expect("in range").to_string());
        at = next;
    }
    times
}

fn schedule(line: &str, zone: &str) -> Schedule {
    Schedule::new(line, zone, IfMissed::Once).expect("readable")
}

#[test]
fn times_follow_the_zones_wall_clock() {
    let tokyo = schedule("30 2 * * *", "Asia/Tokyo");
    assert_eq!(times(&tokyo, "2026-11-25T00:00:00Z", 2), ["2026-11-25T17:30:00Z", "2026-11-26T17:30:00Z"]);
    let berlin = schedule("0 9 * * mon-fri", "Europe/Berlin");
    // Friday in summer, Monday in winter.
    assert_eq!(times(&berlin, "2026-10-23T00:00:00Z", 2), ["2026-10-23T07:00:00Z", "2026-10-26T08:00:00Z"]);
}

#[test]
fn a_time_in_the_gap_comes_once_after_it() {
    // On 29 March 2026 02:00 becomes 03:00 in Berlin.
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    let wanted = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
    assert_eq!(times(&berlin, "2026-03-28T00:00:00Z", 3), wanted);
}

#[test]
fn a_time_in_the_overlap_comes_once() {
    // On 25 October 2026 03:00 becomes 02:00 in Berlin.
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    let wanted = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(times(&berlin, "2026-10-24T12:00:00Z", 2), wanted);
}

#[test]
fn every_half_hour_is_every_half_hour_on_both_days() {
    let berlin = schedule("*/30 * * * *", "Europe/Berlin");
    for start in ["2026-03-28T23:45:00Z", "2026-10-24T23:45:00Z"] {
        let mut at = micros(start);
        for _ in 0..8 {
            let next = berlin.next(at).expect("there is one");
            assert!(next - at <= 1_800_000_000, "{start}");
            at = next;
        }
    }
}

#[test]
fn missed_times_follow_the_rule() {
    let (last, now) = (micros("2026-11-20T00:00:00Z"), micros("2026-11-24T17:30:20Z"));
    let due = |rule| Schedule::new("30 2 * * *", "Asia/Tokyo", rule).expect("readable").at_most(3).due(last, now);
    let latest = Moment { at: micros("2026-11-24T17:30:00Z"), late: false };
    assert_eq!(due(IfMissed::Skip), [latest]);
    assert_eq!(due(IfMissed::Once), [latest]);
    let all = due(IfMissed::All);
    assert_eq!((all.len(), all[0].late, all[2]), (3, true, latest));
    let later = now + 3_600_000_000;
    let skip = Schedule::new("30 2 * * *", "Asia/Tokyo", IfMissed::Skip).expect("readable");
    assert_eq!(skip.due(last, later), []);
}

#[test]
fn two_looks_never_give_the_same_time() {
    let every = Schedule::new("* * * * *", "Europe/Berlin", IfMissed::All).expect("readable").at_most(100);
    let (start, minute) = (micros("2026-10-24T23:00:00Z"), 60_000_000);
    let looks: Vec<Micros> = (0..=40).map(|look| start + look * 7 * minute / 2).collect();
    let seen: Vec<Micros> =
        looks.windows(2).flat_map(|look| every.due(look[0], look[1])).map(|moment| moment.at).collect();
    let wanted: Vec<Micros> = (1..=140).map(|minutes| start + minutes * minute).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn a_year_of_missed_minutes_is_bounded() {
    let (last, now) = (micros("2025-11-24T00:00:00Z"), micros("2026-11-24T00:00:00Z"));
    let every = |rule| Schedule::new("* * * * *", "UTC", rule).expect("readable");
    assert_eq!(every(IfMissed::Once).due(last, now), [Moment { at: now, late: false }]);
    assert_eq!(every(IfMissed::All).at_most(5).due(last, now).len(), 5);
    let yearly = Schedule::new("0 0 1 1 *", "UTC", IfMissed::Once).expect("readable");
    assert_eq!(yearly.due(last, now), [Moment { at: micros("2026-01-01T00:00:00Z"), late: true }]);
}

#[test]
fn a_paused_schedule_has_no_times() {
    let paused = schedule("* * * * *", "UTC").paused(true);
    assert_eq!((paused.next(0), paused.due(0, 1 << 40)), (None, Vec::new()));
    assert!(paused.paused(false).next(0).is_some());
}

#[test]
fn refused_lines_name_the_place() {
    let check = |line: &str, column: usize, wanted: &str| {
        let bad = Schedule::new(line, "UTC", IfMissed::Skip).expect_err(line);
        assert_eq!(bad.column, column, "{line}: {bad}");
        assert!(bad.words.en.contains(wanted) && !bad.words.ja.is_empty(), "{bad}");
    };
    check("60 2 * * *", 1, "minute");
    check("30 25 * * *", 4, "hour");
    check("30 2  0 * *", 7, "day of month");
    check("30 2 * 13 *", 8, "month");
    check("30 2 * * fry", 10, "day of week");
    check("30 2 * *", 9, "this has 4");
    check("0 30 2 * * *", 12, "this has 6");
    check("0 0 31 2 *", 5, "never comes");
    check("", 1, "this has 0");
    check("@daily", 7, "this has 1");
    let zone = Schedule::new("* * * * *", "Asia/Tokio", IfMissed::Skip).expect_err("no such zone");
    assert!(zone.words.en.contains("Asia/Tokio"));
}
