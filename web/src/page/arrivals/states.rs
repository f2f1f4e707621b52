//! Where instrument runs, shipments and tubes stand, as one of the seven states each.

use kentai_engine::state::{instrument_run, parcel, shipment_item};
use kentai_workflows::diagnostic::Language;

use super::super::shape::{Shape, State as Shown};

pub(super) fn pick(language: Language, (shape, en, ja): (Shape, &str, &str)) -> Shown {
    shape.called(match language {
        Language::En => en,
        Language::Ja => ja,
    })
}

pub(super) fn of_run(word: &str, language: Language) -> Shown {
    use instrument_run::Status as S;
    let Some(status) = S::parse(word) else { return Shape::Waiting.called(word) };
    pick(
        language,
        match status {
            S::Seen => (Shape::Running, "Being written", "書き込み中"),
            S::Settling => (Shape::Waiting, "Settling", "完了確認中"),
            S::Complete => (Shape::Passed, "Complete", "完了"),
            S::Failed => (Shape::Failed, "Failed", "失敗"),
            S::StoppedEarly => (Shape::Failed, "Stopped early", "途中停止"),
            S::Changed => (Shape::Needs, "Changed after it was complete", "完了後に変更"),
            S::Quarantined => (Shape::Canceled, "Set aside", "隔離"),
        },
    )
}

pub(super) fn of_shipment(word: &str, language: Language) -> Shown {
    use parcel::Status as S;
    let Some(status) = S::parse(word) else { return Shape::Waiting.called(word) };
    pick(
        language,
        match status {
            S::Sent => (Shape::Waiting, "On its way", "輸送中"),
            S::Received => (Shape::Running, "Being scanned", "照合中"),
            S::Complete => (Shape::Passed, "Complete", "全数到着"),
            S::Incomplete => (Shape::Needs, "Tubes missing", "未着あり"),
        },
    )
}

pub(super) fn of_tube(word: &str, language: Language) -> Shown {
    use shipment_item::Status as S;
    let Some(status) = S::parse(word) else { return Shape::Waiting.called(word) };
    pick(
        language,
        match status {
            S::Expected => (Shape::Waiting, "Expected", "到着予定"),
            S::Accepted => (Shape::Passed, "Accepted", "受領"),
            S::Rejected => (Shape::Failed, "Rejected", "受入不可"),
            S::Missing => (Shape::Needs, "Missing", "未着"),
            S::Extra => (Shape::Needs, "Not announced", "予定外"),
        },
    )
}
