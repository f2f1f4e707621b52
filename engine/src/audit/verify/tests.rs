//! Whatever happens to a file on its way is found.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::*;
use crate::audit::checkpoint::{Secret, Stand};
use crate::audit::export::{CHECKPOINT_SIGNED, Export};

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32])
}

/// A log of so many events, every fifth of them a checkpoint of the chain two events before.
fn events(count: i64) -> Vec<EventLine> {
    let mut made: Vec<EventLine> = Vec::new();
    let mut hash = [0; 32];
    for seq in 1..=count {
        let mut line = EventLine {
            seq,
            stream: format!("order_line:O{seq}"),
            n: 1,
            at_us: 1_000_000 * seq,
            kind: "held".into(),
            subject: String::new(),
            actor: "佐藤 \"s\"\u{1}".into(),
            role: "operator".into(),
            body: format!("{{\"reason\":\"r{seq}\"}}"),
            hash: String::new(),
        };
        if seq % 5 == 0 {
            let past = &made[usize::try_from(seq - 3).expect("small")];
            let stand = Stand { events: past.seq, head: past.hash.clone(), at_us: line.at_us, sha256: String::new() };
            line.kind = CHECKPOINT_SIGNED.into();
            line.body = serde_json::to_string(&secret().sign(&stand)).expect("JSON");
        }
        hash = link(&hash, &line.fields());
        line.hash = hex(&hash);
        made.push(line);
    }
    made
}

fn export(events: &[EventLine]) -> Vec<u8> {
    let mut export = Export::begin(Vec::new(), "tokyo", &secret().public(), 9).expect("memory");
    for event in events {
        export.event(event).expect("memory");
    }
    let signed = secret().sign(&export.stand(10));
    export.finish(&signed).expect("memory")
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn what(bytes: &[u8]) -> What {
    verify(bytes, Some(&secret().public())).expect_err("something is wrong with it").what
}

#[test]
fn what_nobody_touched_is_true() {
    let found = verify(&*export(&events(12)), None).expect("whole");
    assert_eq!((found.events, found.checkpoints, found.site.as_str()), (12, 3, "tokyo"));
    assert_eq!(verify(&*export(&[]), Some(&secret().public())).expect("an empty log").events, 0);
}

#[test]
fn ten_thousand_changes_of_one_byte_are_all_found() {
    let whole = export(&events(12));
    let mut random = StdRng::seed_from_u64(20_261_125);
    for round in 0..10_000 {
        let mut bytes = whole.clone();
        let at = random.random_range(0..bytes.len());
        match round % 4 {
            0 => bytes[at] ^= random.random_range(1..=255_u8),
            1 => bytes.insert(at, random.random()),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        // A byte put in before its like is no change.
        assert!(bytes == whole || verify(&*bytes, None).is_err(), "round {round}, at {at}");
    }
}

#[test]
fn lines_that_moved_or_went_are_found() {
    let whole = lines(&export(&events(12)));
    for at in 0..whole.len() - 1 {
        let (mut moved, mut gone, mut twice) = (whole.clone(), whole.clone(), whole.clone());
        moved.swap(at, at + 1);
        gone.remove(at);
        twice.insert(at, whole[at].clone());
        for bytes in [moved, gone, twice] {
            assert!(verify(&*bytes.concat(), None).is_err(), "line {at}");
        }
    }
}

#[test]
fn a_dropped_last_event_and_a_replayed_older_end_are_named() {
    let (older, newer) = (lines(&export(&events(11))), lines(&export(&events(12))));
    let mut dropped = newer.clone();
    dropped.remove(newer.len() - 2);
    assert!(matches!(what(&dropped.concat()), What::OtherPast(12)));
    let mut replayed = newer.clone();
    *replayed.last_mut().expect("lines") = older.last().expect("lines").clone();
    assert!(matches!(what(&replayed.concat()), What::OtherPast(11)));
    let mut behind = newer.clone();
    behind.push(older.last().expect("lines").clone());
    assert!(matches!(what(&behind.concat()), What::Behind));
    assert!(matches!(what(&newer[..newer.len() - 1].concat()), What::Cut));
}

#[test]
fn an_error_names_its_line() {
    let mut whole = lines(&export(&events(4)));
    let text = String::from_utf8(whole[3].clone()).expect("UTF-8").replace("\"r3\"", "\"r4\"");
    whole[3] = text.replace("r3", "r4").into_bytes();
    let error = verify(&*whole.concat(), None).expect_err("changed");
    assert_eq!(error.to_string(), "line 4: event 3 does not follow from the one before it: one of them was changed");
}

#[test]
fn another_key_is_not_believed() {
    let whole = export(&events(3));
    let theirs = Secret::from_bytes(&[8; 32]).public();
    assert!(matches!(verify(&*whole, Some(&theirs)).expect_err("theirs").what, What::OtherKey));
}

#[test]
fn rubbish_does_not_end_the_program() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut runner =
        TestRunner::new_with_rng(Config { cases: 500, failure_persistence: None, ..Config::default() }, rng);
    let rubbish = proptest::collection::vec(proptest::num::u8::ANY, 0..200);
    let never = |bytes: Vec<u8>| {
        proptest::prop_assert!(verify(&*bytes, None).is_err());
        Ok(())
    };
    runner.run(&rubbish, never).expect("never true");
}
