//! What happened, read from the log: each event of an order line or a delivery may lead to something that somebody does later.

use kentai_engine::store::rows::Event;
use serde_json::Value;

use super::agenda::{Act, Agenda};
use super::dice::Dice;
use super::fate::Fate;
use super::plan::{DAY, HOUR, Plan};
use super::replay::Known;

/// Hears one event of an order line.
pub(super) fn order_line(
    seed: u64,
    plan: &Plan,
    known: &mut [Known],
    number: usize,
    event: &Event,
    agenda: &mut Agenda,
) {
    let fate = plan.lines[number].fate;
    let control = plan.lines[number].night.is_some();
    let mut dice = Dice::of(seed, number as u64, &event.kind);
    let mut later = |from: f64, to: f64, act: Act| {
        #[expect(clippy::cast_possible_truncation, reason = "hours of a few months")]
        let after = (dice.between(from, to) * HOUR as f64) as i64;
        agenda.put(event.at_us + after, act);
    };
    match (event.kind.as_str(), fate) {
        ("analysis_started", _) => {
            let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
            known[number].run = body["run"].as_str().unwrap_or_default().to_owned();
        }
        ("sequence_qc_failed", Fate::AwaitingTopUp | Fate::ToppedUp) => later(5.0, 20.0, Act::Decide(number, "top_up")),
        ("sequence_qc_failed", Fate::AwaitingMaterial) => later(5.0, 20.0, Act::Decide(number, "new_material")),
        ("sequence_qc_failed", Fate::GivenUp) => later(20.0, 60.0, Act::Decide(number, "give_up")),
        ("analysis_failed", Fate::Retried) => later(1.0, 6.0, Act::Retry(number)),
        ("analysis_qc_failed", Fate::Overridden) => later(3.0, 20.0, Act::PassGate(number)),
        ("review_asked", Fate::Released) => later(4.0, 20.0, Act::ReleaseByHand(number)),
        ("review_asked", _) => reviewed(fate, number, control, &mut later),
        ("delivered", Fate::Delivered) => {}
        ("delivered", Fate::Withdrawn) => later(24.0, 30.0, Act::Acknowledge(number)),
        ("delivered", _) if control => later(0.5, 1.0, Act::Acknowledge(number)),
        ("delivered", _) => later(6.0, 60.0, Act::Acknowledge(number)),
        ("acknowledged", Fate::Archived | Fate::ToppedUp | Fate::Retried | Fate::Overridden) => {
            if control {
                later(1.0, 2.0, Act::Archive(number));
            } else {
                agenda.put(event.at_us + 30 * DAY, Act::Archive(number));
                agenda.put(event.at_us + 2 * DAY, Act::Leftover(number));
            }
        }
        ("acknowledged", Fate::Recalled) => later(40.0, 60.0, Act::CallBack(number)),
        ("acknowledged", Fate::WithdrawnClosed) => later(200.0, 260.0, Act::Withdraw(number)),
        _ => {}
    }
}

/// Values are brought, and releasers look.
fn reviewed(fate: Fate, number: usize, control: bool, later: &mut impl FnMut(f64, f64, Act)) {
    later(0.2, 0.8, Act::Measure(number));
    let (first, second) = if control { ((1.0, 2.0), (2.0, 3.0)) } else { ((2.0, 8.0), (10.0, 26.0)) };
    match fate {
        Fate::Review | Fate::Identity => {}
        Fate::SecondReleaser => later(first.0, first.1, Act::Approve(number, 0)),
        _ => {
            later(first.0, first.1, Act::Approve(number, 0));
            later(second.0, second.1, Act::Approve(number, 1));
        }
    }
}

/// Hears that something was offered to a receiver.
pub(super) fn offered(seed: u64, plan: &Plan, number: usize, event: &Event, agenda: &mut Agenda) {
    let line = &plan.lines[number];
    if line.night.is_some() || matches!(line.fate, Fate::Offered | Fate::OfferedLate) {
        return;
    }
    let mut dice = Dice::of(seed, number as u64, "fetch");
    #[expect(clippy::cast_possible_truncation, reason = "hours of a day")]
    let after = (dice.between(1.0, 14.0) * HOUR as f64) as i64;
    agenda.put(event.at_us + after, Act::Fetch(number));
}
