//! Each reason by itself keeps the copies, and nothing else does.

use super::*;

const DAY_US: Micros = 86_400_000_000;
const NOW: Micros = 1_780_000_000_000_000;

fn good() -> Facts {
    Facts {
        target: "dc1".into(),
        rule: Some(Rule { after_receipt_us: 90 * DAY_US, copies: 2 }),
        status: Status::Acknowledged,
        files: 3,
        accepted: 3,
        mismatched: Vec::new(),
        answered_us: Some(NOW - 90 * DAY_US),
        receiver_copies: 1,
        archives: 1,
        holds: Vec::new(),
        withdrawal: None,
        disputes: Vec::new(),
        users: Vec::new(),
    }
}

fn said(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = good();
    change(&mut facts);
    against(&facts, NOW).iter().map(ToString::to_string).collect()
}

/// Exactly one thing is said, and it says this.
fn alone(words: &str, change: impl FnOnce(&mut Facts)) {
    let said = said(change);
    assert!(said.len() == 1 && said[0].contains(words), "{words}: {said:?}");
}

#[test]
fn when_nothing_stands_against_it_they_may_go() {
    assert_eq!(said(|_| {}), Vec::<String>::new());
    assert_eq!(said(|facts| facts.status = Status::Superseded), Vec::<String>::new());
    assert_eq!(said(|facts| facts.status = Status::Expired), Vec::<String>::new());
    assert_eq!(said(|facts| (facts.receiver_copies, facts.archives) = (2, 0)), Vec::<String>::new());
    assert_eq!(said(|facts| (facts.receiver_copies, facts.archives) = (0, 2)), Vec::<String>::new());
}

#[test]
fn each_reason_alone_keeps_them() {
    alone("kept for ever", |facts| facts.rule = None);
    alone("acknowledged 2 of 3 files", |facts| {
        (facts.accepted, facts.status) = (2, Status::PartlyAcknowledged);
    });
    alone("acknowledged 0 of 0 files", |facts| (facts.accepted, facts.files) = (0, 0));
    alone("acknowledged 2 of 3 files", |facts| facts.accepted = 2);
    alone("it is recalled", |facts| facts.status = Status::Recalled);
    alone("it is refused", |facts| facts.status = Status::Refused);
    alone("went before", |facts| facts.status = Status::Retired);
    alone("other bytes than were sent: data/a", |facts| facts.mismatched = vec!["data/a".into()]);
    alone("there is no receipt", |facts| facts.answered_us = None);
    alone("is not over until 2026-05-28T20:26:40.000001Z", |facts| {
        facts.answered_us = Some(NOW - 90 * DAY_US + 1);
    });
    alone("1 of 2 copies elsewhere are known", |facts| facts.archives = 0);
    alone("order line O1 is held", |facts| facts.holds = vec!["order line O1 is held".into()]);
    alone("case k1 is open", |facts| facts.withdrawal = Some("case k1 is open".into()));
    alone("deviation d1 about it is open", |facts| facts.disputes = vec!["d1".into()]);
    alone("delivery d2 needs the same file", |facts| facts.users = vec!["delivery d2".into()]);
}

#[test]
fn no_rule_asks_for_fewer_copies_than_two() {
    alone("1 of 2 copies", |facts| {
        (facts.rule, facts.archives) = (Some(Rule { after_receipt_us: 0, copies: 0 }), 0);
    });
}

#[test]
fn a_time_without_end_is_never_over() {
    let rule = Some(Rule { after_receipt_us: Micros::MAX, copies: 2 });
    assert_eq!(said(|facts| facts.rule = rule).len(), 1);
}

#[test]
fn everything_that_stands_against_it_is_said_at_once() {
    let said = said(|facts| {
        facts.accepted = 0;
        facts.status = Status::Offered;
        facts.answered_us = None;
        facts.archives = 0;
        facts.receiver_copies = 0;
        facts.holds = vec!["x".into(), "y".into()];
    });
    assert_eq!(said.len(), 5, "{said:?}");
}
