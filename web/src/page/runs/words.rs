//! Words of the list of runs.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) newest_first: &'static str,
    pub(super) state: &'static str,
    pub(super) run: &'static str,
    pub(super) specimen: &'static str,
    pub(super) workflow: &'static str,
    pub(super) why: &'static str,
    pub(super) steps: &'static str,
    pub(super) changed: &'static str,
    pub(super) empty: &'static str,
}

const EN: Words = Words {
    title: "Runs",
    newest_first: "newest first",
    state: "State",
    run: "Run",
    specimen: "Specimen",
    workflow: "Workflow",
    why: "Why",
    steps: "Steps done",
    changed: "Last change",
    empty: "No run is in this state. Runs begin when a sheet is submitted or an order line has its data.",
};

const JA: Words = Words {
    title: "実行",
    newest_first: "新しい順",
    state: "状態",
    run: "実行",
    specimen: "検体",
    workflow: "ワークフロー",
    why: "理由",
    steps: "完了ステップ",
    changed: "最終更新",
    empty: "この状態の実行はありません。シートを投入するか、依頼のデータがそろうと始まります。",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }
}
