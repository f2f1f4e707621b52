//! Words of the decision about an order line.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) stands: &'static str,
    pub(super) specimen: &'static str,
    pub(super) assay: &'static str,
    pub(super) round: &'static str,
    pub(super) run: &'static str,
    pub(super) why: &'static str,
    pub(super) choices: &'static str,
    pub(super) reason_note: &'static str,
    pub(super) decide: &'static str,
    pub(super) only: &'static str,
    pub(super) nothing: &'static str,
    pub(super) moved_on: &'static str,
    pub(super) choose: &'static str,
    pub(super) held: &'static str,
}

const EN: Words = Words {
    title: "Decide",
    stands: "Stands at",
    specimen: "Specimen",
    assay: "Assay",
    round: "Round",
    run: "Run",
    why: "Why it stands there",
    choices: "What shall be done",
    reason_note: "It is kept with the decision, with your name and the time.",
    decide: "Decide",
    only: "only:",
    nothing: "Nothing can be decided here by you.",
    moved_on: "It has moved on since you looked: nothing was done. Look at where it stands now, and decide anew.",
    choose: "Choose what shall be done: it must be possible where the order line stands.",
    held: "held",
};

const JA: Words = Words {
    title: "判断する",
    stands: "現在の工程",
    specimen: "検体",
    assay: "検査項目",
    round: "回",
    run: "実行",
    why: "現在の理由",
    choices: "どうするか",
    reason_note: "名前と時刻とともに、判断の記録に残ります。",
    decide: "決定する",
    only: "担当：",
    nothing: "ここで判断できることはありません。",
    moved_on: "表示後に状態が変わったため、何も実行していません。現在の状態を確認して、あらためて判断してください。",
    choose: "現在の工程で可能なものを選んでください。",
    held: "保留中",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }
}
