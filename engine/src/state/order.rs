//! One order line: a specimen and an assay version. The center's stages; hold, consent, custody and priority are axes of their own.

#[rustfmt::skip]
mod table;

use super::{Illegal, words};

words!(
    /// Where an order line stands.
    Stage {
        /// On a manifest, not arrived.
        Expected = "expected",
        /// Its barcode was scanned.
        Received = "received",
        /// Not accepted at reception.
        Rejected = "rejected",
        /// Identity matched with its order, consent looked at.
        Accessioned = "accessioned",
        /// The bench has it.
        InLab = "in_lab",
        /// An instrument has it.
        Sequencing = "sequencing",
        /// Its data is here and is being counted.
        Sequenced = "sequenced",
        /// Too little data: a fork, never an end.
        SequenceQcFailed = "sequence_qc_failed",
        /// More lanes of the same library were asked for.
        AwaitingTopUp = "awaiting_top_up",
        /// A new specimen was asked for; the clock pauses.
        AwaitingMaterial = "awaiting_material",
        /// Enough data: it may be analyzed.
        Ready = "ready",
        /// Its run is open.
        Analyzing = "analyzing",
        /// Its run ended without data.
        AnalysisFailed = "analysis_failed",
        /// A gate holds its run: a fork, never an end.
        AnalysisQcFailed = "analysis_qc_failed",
        /// A second pair of eyes is asked for.
        ReleaseReview = "release_review",
        /// It may leave the building.
        Released = "released",
        /// A receiver may take it.
        Offered = "offered",
        /// All bytes are at the receiver.
        Delivered = "delivered",
        /// The receiver's receipt is here, per file.
        Acknowledged = "acknowledged",
        /// The receiver refused it.
        Refused = "refused",
        /// Local data is gone by the rules.
        Archived = "archived",
        /// What was delivered was called back.
        Recalled = "recalled",
        /// Given up, with a report to the institution.
        ClosedFailed = "closed_failed",
        /// Consent was withdrawn.
        Withdrawn = "withdrawn",
        /// The order was taken back.
        Canceled = "canceled",
    }
);

words!(
    /// What happens to an order line.
    Event {
        /// The tube was scanned.
        Received = "received",
        /// The tube is not accepted.
        Rejected = "rejected",
        /// Identity and consent were found good.
        Accessioned = "accessioned",
        /// The bench began.
        LabStarted = "lab_started",
        /// An instrument began.
        SequencingStarted = "sequencing_started",
        /// Data arrived.
        Sequenced = "sequenced",
        /// The reads are too few.
        SequenceQcFailed = "sequence_qc_failed",
        /// The reads are enough.
        SequenceQcPassed = "sequence_qc_passed",
        /// Somebody let a shortfall pass.
        SequenceQcWaived = "sequence_qc_waived",
        /// More lanes are asked for.
        TopUpRequested = "top_up_requested",
        /// Another library of the same DNA is asked for.
        RePrepRequested = "re_prep_requested",
        /// Another extraction is asked for.
        ReExtractRequested = "re_extract_requested",
        /// The institution is asked for a new specimen.
        MaterialRequested = "material_requested",
        /// The new specimen is announced.
        Replaced = "replaced",
        /// Its run was made.
        AnalysisStarted = "analysis_started",
        /// Its run ended without data.
        AnalysisFailed = "analysis_failed",
        /// Its run goes on after a failure.
        AnalysisRetried = "analysis_retried",
        /// A gate holds its run.
        AnalysisQcFailed = "analysis_qc_failed",
        /// Somebody let a gate's verdict pass.
        AnalysisQcWaived = "analysis_qc_waived",
        /// A second pair of eyes is asked for.
        ReviewAsked = "review_asked",
        /// It was released.
        Released = "released",
        /// The review sends it back.
        ReviewRejected = "review_rejected",
        /// It is to be analyzed again.
        ReanalysisRequested = "reanalysis_requested",
        /// A receiver may take it.
        Offered = "offered",
        /// All bytes are at the receiver.
        Delivered = "delivered",
        /// The receiver's receipt is here.
        Acknowledged = "acknowledged",
        /// The receiver refused it.
        Refused = "refused",
        /// It is offered again.
        Reoffered = "reoffered",
        /// Local data was removed by the rules.
        Archived = "archived",
        /// What was delivered is called back.
        Recalled = "recalled",
        /// It is given up.
        GivenUp = "given_up",
        /// Consent was withdrawn.
        Withdrawn = "withdrawn",
        /// The order was taken back.
        Canceled = "canceled",
        /// Two people opened it again: it had been accessioned.
        Reopened = "reopened",
        /// Two people opened it again: it had arrived, no more.
        ReopenedReceived = "reopened_received",
        /// Two people opened it again: it had never arrived.
        ReopenedExpected = "reopened_expected",
    }
);

impl Stage {
    /// The status after `event`. Every pair is written out; the page `docs/state-machines.md` has the same table.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        let next = match event {
            Event::Received => table::after_received(self),
            Event::Rejected => table::after_rejected(self),
            Event::Accessioned => table::after_accessioned(self),
            Event::LabStarted => table::after_lab_started(self),
            Event::SequencingStarted => table::after_sequencing_started(self),
            Event::Sequenced => table::after_sequenced(self),
            Event::SequenceQcFailed => table::after_sequence_qc_failed(self),
            Event::SequenceQcPassed => table::after_sequence_qc_passed(self),
            Event::SequenceQcWaived => table::after_sequence_qc_waived(self),
            Event::TopUpRequested => table::after_top_up_requested(self),
            Event::RePrepRequested => table::after_re_prep_requested(self),
            Event::ReExtractRequested => table::after_re_extract_requested(self),
            Event::MaterialRequested => table::after_material_requested(self),
            Event::Replaced => table::after_replaced(self),
            Event::AnalysisStarted => table::after_analysis_started(self),
            Event::AnalysisFailed => table::after_analysis_failed(self),
            Event::AnalysisRetried => table::after_analysis_retried(self),
            Event::AnalysisQcFailed => table::after_analysis_qc_failed(self),
            Event::AnalysisQcWaived => table::after_analysis_qc_waived(self),
            Event::ReviewAsked => table::after_review_asked(self),
            Event::Released => table::after_released(self),
            Event::ReviewRejected => table::after_review_rejected(self),
            Event::ReanalysisRequested => table::after_reanalysis_requested(self),
            Event::Offered => table::after_offered(self),
            Event::Delivered => table::after_delivered(self),
            Event::Acknowledged => table::after_acknowledged(self),
            Event::Refused => table::after_refused(self),
            Event::Reoffered => table::after_reoffered(self),
            Event::Archived => table::after_archived(self),
            Event::Recalled => table::after_recalled(self),
            Event::GivenUp => table::after_given_up(self),
            Event::Withdrawn => table::after_withdrawn(self),
            Event::Canceled => table::after_canceled(self),
            Event::Reopened => table::after_reopened(self),
            Event::ReopenedReceived => table::after_reopened_received(self),
            Event::ReopenedExpected => table::after_reopened_expected(self),
        };
        next.ok_or(Illegal { machine: "order line", status: self.word(), event: event.word() })
    }
}

impl Event {
    /// From here on it is another round: what came before stays readable.
    #[must_use]
    pub fn opens_round(self) -> bool {
        matches!(
            self,
            Self::TopUpRequested
                | Self::RePrepRequested
                | Self::ReExtractRequested
                | Self::Replaced
                | Self::ReanalysisRequested
        )
    }
}

impl Event {
    /// What opening again is for an order line that had come so far: nothing is skipped that it had not been through.
    #[must_use]
    pub fn reopening(from: Stage, had_been: impl Fn(Stage) -> bool) -> Self {
        if from == Stage::Archived || had_been(Stage::Accessioned) {
            Self::Reopened
        } else if had_been(Stage::Received) {
            Self::ReopenedReceived
        } else {
            Self::ReopenedExpected
        }
    }
}

impl Stage {
    /// Nothing follows but what two people decide.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::ClosedFailed | Self::Withdrawn | Self::Canceled | Self::Archived)
    }

    /// The time does not count: somebody outside must act first.
    #[must_use]
    pub fn clock_pauses(self) -> bool {
        self == Self::AwaitingMaterial
    }

    /// Its data is being worked on, or was.
    #[must_use]
    pub fn is_past_ready(self) -> bool {
        matches!(
            self,
            Self::Analyzing
                | Self::AnalysisQcFailed
                | Self::ReleaseReview
                | Self::Released
                | Self::Offered
                | Self::Delivered
                | Self::Acknowledged
                | Self::Archived
        )
    }

    /// What an institution is shown: seven words, and nothing of what goes wrong inside.
    #[must_use]
    pub fn public(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Received | Self::Accessioned => "received",
            Self::Rejected | Self::AwaitingMaterial => "needs_new_specimen",
            Self::Delivered | Self::Acknowledged | Self::Archived => "delivered",
            Self::ClosedFailed | Self::Canceled => "closed",
            Self::Withdrawn => "withdrawn",
            Self::InLab
            | Self::Sequencing
            | Self::Sequenced
            | Self::SequenceQcFailed
            | Self::AwaitingTopUp
            | Self::Ready
            | Self::Analyzing
            | Self::AnalysisFailed
            | Self::AnalysisQcFailed
            | Self::ReleaseReview
            | Self::Released
            | Self::Offered
            | Self::Refused
            | Self::Recalled => "in_process",
        }
    }
}

/// Why a pair is refused, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: &'static str,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

/// The named reason why `event` is not possible in `stage`.
#[must_use]
pub fn refusal(stage: Stage, event: Event) -> Refusal {
    let named = |code, en: String, ja: String| Refusal { code, en, ja };
    match (stage, event) {
        (Stage::Withdrawn, _) => named(
            "withdrawn",
            format!(
                "consent was withdrawn: {event} is not possible; a new consent is a new participant entry and a new order"
            ),
            format!("同意が撤回されているため {event} はできません。新しい同意は新しい登録と依頼になります"),
        ),
        (_, Event::Reopened) => {
            named("not_ended", format!("it is {stage}, not at its end"), format!("{stage} であり、終了していません"))
        }
        (stage, _) if stage.is_end() => named(
            "ended",
            format!("it is {stage}, which is an end: two people may reopen it"),
            format!("{stage} で終了しています。再開には 2 人の承認が必要です"),
        ),
        (Stage::Expected, _) => named(
            "not_arrived",
            format!("it has not arrived: {event} is not possible"),
            format!("未着のため {event} はできません"),
        ),
        (Stage::SequenceQcFailed | Stage::AnalysisQcFailed, _) => named(
            "needs_decision",
            format!(
                "it is {stage}: somebody must decide first (top_up, re_prep, re_extract, new_material, release, give_up)"
            ),
            format!("{stage} です。先に判断が必要です(追加解析、再調製、再抽出、再採取、判断付き出荷、中止)"),
        ),
        (Stage::Acknowledged, Event::Canceled) => named(
            "acknowledged",
            "the receiver has acknowledged it: recall it instead".into(),
            "受領済みのため取り消せません。回収してください".into(),
        ),
        _ => named(
            "not_now",
            format!("it is {stage}: {event} is not possible now"),
            format!("{stage} のため、今は {event} はできません"),
        ),
    }
}
