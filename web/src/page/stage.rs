//! Stages of an order line, as every page calls and shows them: one of the seven states each, its name in both languages, and what
//! people from outside are told instead.

use kentai_engine::state::order::Stage;
use kentai_engine::view::center::OrderLineView;
use kentai_workflows::diagnostic::Language;

use super::shape::{Shape, State};

/// What a stage is called.
pub(crate) fn name(stage: Stage, language: Language) -> &'static str {
    let (en, ja) = match stage {
        Stage::Expected => ("Expected", "到着予定"),
        Stage::Received => ("Received", "受領"),
        Stage::Rejected => ("Rejected at reception", "受入不可"),
        Stage::Accessioned => ("Accessioned", "受付済み"),
        Stage::InLab => ("In lab", "ラボ作業中"),
        Stage::Sequencing => ("Sequencing", "シーケンス中"),
        Stage::Sequenced => ("Sequenced", "シーケンス済み"),
        Stage::SequenceQcFailed => ("Sequence QC failed", "シーケンスQC不合格"),
        Stage::AwaitingTopUp => ("Awaiting top-up", "シーケンス追加待ち"),
        Stage::AwaitingMaterial => ("Awaiting new material", "再採取待ち"),
        Stage::Ready => ("Ready", "解析待ち"),
        Stage::Analyzing => ("Analyzing", "解析中"),
        Stage::AnalysisFailed => ("Analysis failed", "解析失敗"),
        Stage::AnalysisQcFailed => ("Analysis QC failed", "解析QC不合格"),
        Stage::ReleaseReview => ("Release review", "引き渡し審査"),
        Stage::Released => ("Released", "承認済み"),
        Stage::Offered => ("Offered", "提供中"),
        Stage::Delivered => ("Delivered", "送達済み"),
        Stage::Acknowledged => ("Acknowledged", "受領確認済み"),
        Stage::Refused => ("Refused by the receiver", "受取拒否"),
        Stage::Archived => ("Archived", "保管済み"),
        Stage::Recalled => ("Recalled", "回収"),
        Stage::ClosedFailed => ("Closed without data", "不成立で終了"),
        Stage::Withdrawn => ("Withdrawn", "同意撤回"),
        Stage::Canceled => ("Canceled", "取消"),
    };
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}

/// Which of the seven states it is: who must act, or that nobody must.
pub(crate) fn shape(stage: Stage) -> Shape {
    match stage {
        Stage::Expected
        | Stage::Received
        | Stage::Accessioned
        | Stage::AwaitingTopUp
        | Stage::AwaitingMaterial
        | Stage::Ready => Shape::Waiting,
        Stage::InLab
        | Stage::Sequencing
        | Stage::Sequenced
        | Stage::Analyzing
        | Stage::Released
        | Stage::Offered
        | Stage::Delivered => Shape::Running,
        Stage::Rejected
        | Stage::SequenceQcFailed
        | Stage::AnalysisFailed
        | Stage::AnalysisQcFailed
        | Stage::ReleaseReview
        | Stage::Refused
        | Stage::Recalled => Shape::Needs,
        Stage::Acknowledged | Stage::Archived => Shape::Passed,
        Stage::ClosedFailed => Shape::Failed,
        Stage::Withdrawn | Stage::Canceled => Shape::Canceled,
    }
}

/// Where an order line stands, as its list shows it; what people from outside are told when that is all that the view says.
pub(crate) fn of_line(line: &OrderLineView, language: Language) -> State {
    match Stage::parse(&line.stage) {
        // Words that both use mean the same.
        Some(stage) if !line.document.is_null() => shape(stage).called(name(stage, language)),
        _ => public(&line.stage, language),
    }
}

/// What people from outside are told.
fn public(word: &str, language: Language) -> State {
    let (shape, en, ja) = match word {
        "announced" => (Shape::Waiting, "Announced", "到着予定"),
        "received" => (Shape::Running, "Received", "受領"),
        "in_progress" => (Shape::Running, "In progress", "センターで処理中"),
        "needs_sender" => (Shape::Needs, "Needs the sender", "依頼施設の対応待ち"),
        "delivered" => (Shape::Passed, "Delivered", "納品済み"),
        "ended" => (Shape::Canceled, "Ended", "終了"),
        other => return Shape::Waiting.called(other),
    };
    shape.called(match language {
        Language::En => en,
        Language::Ja => ja,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_stages_have_one_name() {
        for language in [Language::En, Language::Ja] {
            let mut names: Vec<_> = Stage::ALL.iter().map(|stage| name(*stage, language)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), Stage::ALL.len());
        }
    }
}
