//! Every pair of the order line, written out: which stage follows an event, from each stage. None: it is refused.

use super::Stage as S;

/// The tube was scanned.
pub(super) fn after_received(from: S) -> Option<S> {
    match from {
        S::Expected => Some(S::Received),
        S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced | S::SequenceQcFailed |
        S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
    }
}

/// The tube is not accepted.
pub(super) fn after_rejected(from: S) -> Option<S> {
    match from {
        S::Expected | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced | S::SequenceQcFailed |
        S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Received => Some(S::Rejected),
    }
}

/// Identity and consent were found good.
pub(super) fn after_accessioned(from: S) -> Option<S> {
    match from {
        S::Expected | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced | S::SequenceQcFailed |
        S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Received => Some(S::Accessioned),
    }
}

/// The bench began.
pub(super) fn after_lab_started(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::InLab | S::Sequenced | S::SequenceQcFailed | S::AwaitingTopUp |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview |
        S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled |
        S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Accessioned | S::Sequencing => Some(S::InLab),
    }
}

/// An instrument began.
pub(super) fn after_sequencing_started(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Sequencing | S::Sequenced | S::SequenceQcFailed |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview |
        S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled |
        S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Accessioned | S::InLab | S::AwaitingTopUp => Some(S::Sequencing),
    }
}

/// Data arrived.
pub(super) fn after_sequenced(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Sequenced | S::SequenceQcFailed | S::AwaitingMaterial | S::Ready |
        S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered |
        S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn |
        S::Canceled => None,
        S::Accessioned | S::InLab | S::Sequencing | S::AwaitingTopUp => Some(S::Sequenced),
    }
}

/// The reads are too few.
pub(super) fn after_sequence_qc_failed(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::SequenceQcFailed |
        S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Sequenced => Some(S::SequenceQcFailed),
    }
}

/// The reads are enough.
pub(super) fn after_sequence_qc_passed(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::AwaitingTopUp |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview |
        S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled |
        S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Sequenced | S::SequenceQcFailed => Some(S::Ready),
    }
}

/// Somebody let a shortfall pass.
pub(super) fn after_sequence_qc_waived(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview |
        S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled |
        S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::SequenceQcFailed | S::AwaitingTopUp => Some(S::Ready),
    }
}

/// More lanes are asked for.
pub(super) fn after_top_up_requested(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::ReleaseReview | S::Released | S::Offered |
        S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn |
        S::Canceled => None,
        S::SequenceQcFailed | S::AnalysisFailed | S::AnalysisQcFailed => Some(S::AwaitingTopUp),
    }
}

/// Another library of the same DNA is asked for.
pub(super) fn after_re_prep_requested(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::ReleaseReview | S::Released | S::Offered | S::Delivered |
        S::Acknowledged | S::Refused | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::SequenceQcFailed | S::AwaitingTopUp | S::AnalysisFailed | S::AnalysisQcFailed => Some(S::InLab),
    }
}

/// Another extraction is asked for.
pub(super) fn after_re_extract_requested(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::AwaitingMaterial | S::Ready | S::Analyzing | S::ReleaseReview | S::Released | S::Offered | S::Delivered |
        S::Acknowledged | S::Refused | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::SequenceQcFailed | S::AwaitingTopUp | S::AnalysisFailed | S::AnalysisQcFailed => Some(S::InLab),
    }
}

/// The institution is asked for a new specimen.
pub(super) fn after_material_requested(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Accessioned | S::Sequencing | S::Sequenced | S::AwaitingMaterial | S::Ready |
        S::Analyzing | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused |
        S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Rejected | S::InLab | S::SequenceQcFailed | S::AwaitingTopUp | S::AnalysisFailed | S::AnalysisQcFailed =>
        Some(S::AwaitingMaterial),
    }
}

/// The new specimen is announced.
pub(super) fn after_replaced(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::Ready | S::Analyzing | S::AnalysisFailed | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::AwaitingMaterial => Some(S::Expected),
    }
}

/// Its run was made.
pub(super) fn after_analysis_started(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Ready => Some(S::Analyzing),
    }
}

/// Its run ended without data.
pub(super) fn after_analysis_failed(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::AnalysisFailed | S::Released |
        S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived | S::Recalled | S::ClosedFailed |
        S::Withdrawn | S::Canceled => None,
        S::Analyzing | S::AnalysisQcFailed | S::ReleaseReview => Some(S::AnalysisFailed),
    }
}

/// Its run goes on after a failure.
pub(super) fn after_analysis_retried(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisQcFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::AnalysisFailed => Some(S::Analyzing),
    }
}

/// A gate holds its run.
pub(super) fn after_analysis_qc_failed(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::AnalysisFailed |
        S::AnalysisQcFailed | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Analyzing | S::ReleaseReview => Some(S::AnalysisQcFailed),
    }
}

/// Somebody let a gate's verdict pass.
pub(super) fn after_analysis_qc_waived(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::AnalysisQcFailed => Some(S::Analyzing),
    }
}

/// A second pair of eyes is asked for.
pub(super) fn after_review_asked(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Analyzing => Some(S::ReleaseReview),
    }
}

/// It was released.
pub(super) fn after_released(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::ReleaseReview => Some(S::Released),
    }
}

/// The review sends it back.
pub(super) fn after_review_rejected(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::ReleaseReview => Some(S::Ready),
    }
}

/// It is to be analyzed again.
pub(super) fn after_reanalysis_requested(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::Offered |
        S::Delivered | S::Archived | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::AnalysisFailed | S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Acknowledged | S::Refused |
        S::Recalled => Some(S::Ready),
    }
}

/// A receiver may take it.
pub(super) fn after_offered(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Offered | S::Delivered | S::Acknowledged | S::Refused | S::Archived
        | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Released => Some(S::Offered),
    }
}

/// All bytes are at the receiver.
pub(super) fn after_delivered(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Delivered | S::Acknowledged | S::Refused | S::Archived
        | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Offered => Some(S::Delivered),
    }
}

/// The receiver's receipt is here.
pub(super) fn after_acknowledged(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Acknowledged | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Delivered => Some(S::Acknowledged),
    }
}

/// The receiver refused it.
pub(super) fn after_refused(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Acknowledged | S::Refused | S::Archived | S::Recalled
        | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Offered | S::Delivered => Some(S::Refused),
    }
}

/// It is offered again.
pub(super) fn after_reoffered(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Archived
        | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Refused => Some(S::Offered),
    }
}

/// Local data was removed by the rules.
pub(super) fn after_archived(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Refused | S::Archived |
        S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
        S::Acknowledged => Some(S::Archived),
    }
}

/// What was delivered is called back.
pub(super) fn after_recalled(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Refused | S::Recalled | S::ClosedFailed | S::Withdrawn
        | S::Canceled => None,
        S::Offered | S::Delivered | S::Acknowledged | S::Archived => Some(S::Recalled),
    }
}

/// It is given up.
pub(super) fn after_given_up(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced | S::Ready | S::Analyzing |
        S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Archived | S::ClosedFailed |
        S::Withdrawn | S::Canceled => None,
        S::Rejected | S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::AnalysisFailed |
        S::AnalysisQcFailed | S::Refused | S::Recalled => Some(S::ClosedFailed),
    }
}

/// Consent was withdrawn.
pub(super) fn after_withdrawn(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Archived | S::Recalled | S::ClosedFailed | S::Canceled => Some(S::Withdrawn),
        S::Withdrawn => None,
    }
}

/// The order was taken back.
pub(super) fn after_canceled(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Refused =>
        Some(S::Canceled),
        S::Acknowledged | S::Archived | S::Recalled | S::ClosedFailed | S::Withdrawn | S::Canceled => None,
    }
}

/// Two people opened it again: it had been accessioned.
pub(super) fn after_reopened(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Recalled | S::Withdrawn => None,
        S::Archived => Some(S::Acknowledged),
        S::ClosedFailed | S::Canceled => Some(S::Accessioned),
    }
}

/// Two people opened it again: it had arrived, no more.
pub(super) fn after_reopened_received(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Archived | S::Recalled | S::Withdrawn => None,
        S::ClosedFailed | S::Canceled => Some(S::Received),
    }
}

/// Two people opened it again: it had never arrived.
pub(super) fn after_reopened_expected(from: S) -> Option<S> {
    match from {
        S::Expected | S::Received | S::Rejected | S::Accessioned | S::InLab | S::Sequencing | S::Sequenced |
        S::SequenceQcFailed | S::AwaitingTopUp | S::AwaitingMaterial | S::Ready | S::Analyzing | S::AnalysisFailed |
        S::AnalysisQcFailed | S::ReleaseReview | S::Released | S::Offered | S::Delivered | S::Acknowledged | S::Refused
        | S::Archived | S::Recalled | S::Withdrawn => None,
        S::ClosedFailed | S::Canceled => Some(S::Expected),
    }
}
