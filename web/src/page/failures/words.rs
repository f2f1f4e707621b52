//! Words of the list of failures.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) capacity: &'static str,
    pub(super) window: &'static str,
    pub(super) week: &'static str,
    pub(super) month: &'static str,
    pub(super) by_step: &'static str,
    pub(super) attempts: &'static str,
    pub(super) newest_first: &'static str,
    pub(super) cause: &'static str,
    pub(super) workflow: &'static str,
    pub(super) step: &'static str,
    pub(super) runs: &'static str,
    pub(super) newest: &'static str,
    pub(super) run: &'static str,
    pub(super) specimen: &'static str,
    pub(super) attempt: &'static str,
    pub(super) executor: &'static str,
    pub(super) failed: &'static str,
    pub(super) empty: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Failures",
    capacity: "Capacity",
    window: "Window",
    week: "7 days",
    month: "30 days",
    by_step: "By cause and step",
    attempts: "Attempts",
    newest_first: "newest first",
    cause: "Cause",
    workflow: "Workflow",
    step: "Step",
    runs: "Runs",
    newest: "Newest",
    run: "Run",
    specimen: "Specimen",
    attempt: "Attempt",
    executor: "Executor",
    failed: "Failed",
    empty: "No attempt failed so in this window. Attempts that fail are listed here by their cause, which evidence decides.",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "失敗",
    capacity: "設備",
    window: "期間",
    week: "7日間",
    month: "30日間",
    by_step: "原因・ステップ別",
    attempts: "試行",
    newest_first: "新しい順",
    cause: "原因",
    workflow: "ワークフロー",
    step: "ステップ",
    runs: "実行",
    newest: "最新",
    run: "実行",
    specimen: "検体",
    attempt: "試行",
    executor: "実行環境",
    failed: "失敗時刻",
    empty: "この期間に該当する失敗はありません。失敗した試行は、証拠から決まる原因ごとにここに並びます。",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    pub(super) fn groups(&self, count: &str) -> String {
        match self.language {
            Language::En => format!("{count}, the most first"),
            Language::Ja => format!("{count}件・多い順"),
        }
    }
}
