//! What is allowed is what the newest delivery that stands allows, and nothing else.

use super::*;

fn genome(delivery: &str, day: u8, here: bool, uses: &[&str], consent: Option<&str>) -> Genome {
    Genome {
        delivery: delivery.into(),
        folder: here.then(|| delivery.to_owned()),
        created: here.then(|| format!("2026-11-{day:02}T00:00:00Z")),
        uses: uses.iter().map(|it| (*it).to_owned()).collect(),
        consent: consent.map(str::to_owned),
        ..Genome::default()
    }
}

fn judged(deliveries: Vec<Genome>, records: usize) -> Participant {
    let records = (0..records).map(|n| Record { id: n.to_string(), file: "f".into(), line: None }).collect();
    Participant { deliveries, records, ..Participant::default() }.judged("P1".into())
}

#[test]
fn the_newest_delivery_that_stands_says_what_is_allowed() {
    let found = judged(
        vec![
            genome("b", 9, true, &["research_domestic"], Some("partial")),
            genome("a", 2, true, &["research_domestic", "industry"], Some("given")),
        ],
        1,
    );
    assert_eq!((found.has, found.uses.as_slice()), (Has::Both, ["research_domestic".to_owned()].as_slice()));
    assert_eq!(found.deliveries[0].delivery, "a");
    // The newest one was taken back.
    let found = judged(vec![genome("a", 2, true, &["x"], None), genome("b", 9, false, &[], None)], 0);
    assert_eq!((found.has, found.uses.as_slice()), (Has::Genome, ["x".to_owned()].as_slice()));
}

#[test]
fn without_consent_there_is_no_use_and_it_is_said_why() {
    for (deliveries, why) in [
        (vec![genome("a", 2, true, &["x"], Some("withdrawn"))], "consent is withdrawn"),
        (vec![genome("a", 2, true, &["x"], Some("something new"))], "consent is something new"),
        (vec![genome("a", 2, false, &["x"], None)], "no delivery that stands is here"),
        (vec![genome("a", 2, true, &[], Some("given"))], "the newest delivery allows no use"),
        (vec![], "no delivery says what is allowed"),
    ] {
        let found = judged(deliveries, 1);
        assert_eq!((found.uses.len(), found.why_none.as_deref()), (0, Some(why)));
    }
}

#[test]
fn there_is_a_word_for_each_of_four() {
    assert_eq!(judged(vec![genome("a", 1, true, &[], None)], 0).has, Has::Genome);
    assert_eq!(judged(vec![], 1).has, Has::Clinical);
    assert_eq!(judged(vec![genome("a", 1, false, &[], None)], 0).has, Has::Neither);
}
