//! Every reason in both languages.

use super::*;

#[test]
fn a_shortfall_is_said_with_values_limit_owner_and_what_is_offered() {
    let short = Because::ReadsShort { reads: 594_600_000, needed: 600_000_000, ordered: 600_000_000 };
    assert_eq!(
        short.say(Language::En),
        "waits for reads: 594.6 M of 600.0 M ordered (0.9 % short); owner: lab; offered: top-up, release with reason, re-prep, re-extract, new material, give up"
    );
    assert!(
        short
            .say(Language::Ja)
            .starts_with("リード不足: 594.6 M / 依頼 600.0 M(0.9 % 不足)。担当: 検査室。選択肢: 追加シーケンス")
    );
}

#[test]
fn every_reason_has_a_sentence_in_both_languages() {
    let all = [
        Because::WaitsForArrival { shipment: "SH-1".into(), sent_us: Some(0) },
        Because::WaitsForArrival { shipment: "SH-1".into(), sent_us: None },
        Because::WaitsForAccession,
        Because::NoConsent { pseudonym: "P1".into(), consent: "unknown".into(), wanted: "x".into(), covered: vec![] },
        Because::Held { by: "a".into(), reason: "b".into(), since_us: 0 },
        Because::SiteStopped { by: "a".into(), reason: "b".into() },
        Because::Rejected { condition: "leaking".into() },
        Because::WaitsForLab { wish: None, reads_missing: 0 },
        Because::WaitsForLab { wish: Some("top_up".into()), reads_missing: 5_400_000 },
        Because::WaitsForInstrument,
        Because::WaitsForMaterial { since_us: 0 },
        Because::FamilyIncomplete { missing: vec!["P2".into()] },
        Because::NotStarted { reason: "x".into() },
        Because::WaitsForEngine,
        Because::NoWorkflow,
        Because::Runs { run: "r".into(), reason: String::new() },
        Because::RunFailed { run: "r".into(), reason: "x".into() },
        Because::GateHolds { run: "r".into(), reason: "x".into() },
        Because::WaitsForReview { run: "r".into() },
        Because::WaitsForHandOff,
        Because::WaitsForReceiver { since_us: 0, delivered: true },
        Because::WaitsForReceiver { since_us: 0, delivered: false },
        Because::RefusedByReceiver { reason: "x".into() },
        Because::Recalled { reason: "x".into() },
        Because::Ended { how: "archived".into(), reason: String::new(), since_us: 0 },
    ];
    for because in all {
        let (en, ja) = (because.say(Language::En), because.say(Language::Ja));
        assert!(en.is_ascii() && en.len() > 8, "{en}");
        assert!(!ja.is_ascii(), "{ja}");
    }
}
