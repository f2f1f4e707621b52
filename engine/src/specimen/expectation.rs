//! The silent-stop rule: every stage that is not an end says what must happen next, by whom and by when. When that lapses, the order
//! line is stuck, and everybody sees it. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::state::order::Stage;

const DAY_US: i64 = 86_400 * 1_000_000;

/// Days that each gate may take. The defaults are a center's usual ones: 42 days from DNA to data, two weeks from data to hand-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Targets {
    /// Announced → arrived.
    pub arrival: f64,
    /// Arrived → accessioned.
    pub accession: f64,
    /// Accessioned → on an instrument.
    pub lab: f64,
    /// On an instrument → data.
    pub sequencing: f64,
    /// Data → hand-off.
    pub analysis: f64,
    /// Somebody is asked → an answer.
    pub decision: f64,
    /// Released → at the receiver.
    pub delivery: f64,
    /// At the receiver → its receipt.
    pub receipt: f64,
    /// New material asked for → announced.
    pub material: f64,
    /// Ordered → acknowledged.
    pub total: f64,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            arrival: 7.0,
            accession: 2.0,
            lab: 21.0,
            sequencing: 5.0,
            analysis: 14.0,
            decision: 3.0,
            delivery: 3.0,
            receipt: 14.0,
            material: 60.0,
            total: 42.0,
        }
    }
}

impl Targets {
    /// Ordered → acknowledged, microseconds.
    #[must_use]
    pub fn total_us(&self) -> i64 {
        days(self.total)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "days of a target, a few thousand at most"
)]
fn days(days: f64) -> i64 {
    (days.clamp(0.0, 36_500.0) * DAY_US as f64) as i64
}

/// Who must act next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The institution that sends.
    Institution,
    /// Reception.
    Reception,
    /// The bench.
    Lab,
    /// The instrument and its watcher.
    Instrument,
    /// The engine.
    Engine,
    /// A reviewer.
    Reviewer,
    /// A releaser.
    Releaser,
    /// An operator.
    Operator,
    /// The receiver.
    DataCenter,
}

impl Owner {
    /// In English and Japanese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Institution => ("institution", "依頼施設"),
            Self::Reception => ("reception", "受付"),
            Self::Lab => ("lab", "検査室"),
            Self::Instrument => ("instrument", "装置"),
            Self::Engine => ("engine", "エンジン"),
            Self::Reviewer => ("reviewer", "レビュー担当"),
            Self::Releaser => ("releaser", "出荷承認者"),
            Self::Operator => ("operator", "オペレーター"),
            Self::DataCenter => ("data center", "データセンター"),
        }
    }
}

/// What must happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// By whom.
    pub owner: Owner,
    /// By when.
    pub due_us: Micros,
}

/// What a stage expects that was reached at `since`; none for an end.
#[must_use]
pub fn of(stage: Stage, since: Micros, targets: &Targets) -> Option<Expectation> {
    let (owner, target) = match stage {
        Stage::Expected => (Owner::Institution, targets.arrival),
        Stage::Received => (Owner::Reception, targets.accession),
        Stage::Rejected => (Owner::Reception, targets.decision),
        Stage::Accessioned | Stage::InLab | Stage::AwaitingTopUp => (Owner::Lab, targets.lab),
        Stage::Sequencing => (Owner::Instrument, targets.sequencing),
        Stage::Sequenced => (Owner::Engine, targets.decision),
        Stage::SequenceQcFailed | Stage::AnalysisQcFailed => (Owner::Reviewer, targets.decision),
        Stage::AwaitingMaterial => (Owner::Institution, targets.material),
        Stage::Ready => (Owner::Engine, targets.decision),
        Stage::Analyzing => (Owner::Engine, targets.analysis),
        Stage::AnalysisFailed => (Owner::Operator, targets.decision),
        Stage::ReleaseReview => (Owner::Releaser, targets.decision),
        Stage::Released => (Owner::Engine, targets.delivery),
        Stage::Offered => (Owner::DataCenter, targets.receipt),
        Stage::Delivered => (Owner::DataCenter, targets.receipt),
        Stage::Refused | Stage::Recalled => (Owner::Operator, targets.decision),
        // Kept until the rules let it go: nobody has to act.
        Stage::Acknowledged | Stage::Archived | Stage::ClosedFailed | Stage::Withdrawn | Stage::Canceled => {
            return None;
        }
    };
    Some(Expectation { owner, due_us: since.saturating_add(days(target)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_that_is_not_an_end_expects_something_of_somebody() {
        for stage in Stage::ALL {
            let expected = of(*stage, 0, &Targets::default());
            assert_eq!(expected.is_none(), stage.is_end() || *stage == Stage::Acknowledged, "{stage}");
            assert!(expected.is_none_or(|expected| expected.due_us > 0), "{stage}");
        }
    }
}
