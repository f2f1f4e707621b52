//! Words of schedules.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) capacity: &'static str,
    pub(super) schedule: &'static str,
    pub(super) state: &'static str,
    pub(super) workflow: &'static str,
    pub(super) when: &'static str,
    pub(super) specimen: &'static str,
    pub(super) next: &'static str,
    pub(super) looked: &'static str,
    pub(super) moved_last: &'static str,
    pub(super) act: &'static str,
    pub(super) rests: &'static str,
    pub(super) goes: &'static str,
    pub(super) never_again: &'static str,
    pub(super) pause: &'static str,
    pub(super) resume: &'static str,
    pub(super) run_now: &'static str,
    pub(super) pause_says: &'static str,
    pub(super) resume_says: &'static str,
    pub(super) moved_on: &'static str,
    pub(super) only: &'static str,
    pub(super) reason_if: &'static str,
    pub(super) empty: &'static str,
    pub(super) back: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Schedules",
    capacity: "Capacity",
    schedule: "Schedule",
    state: "State",
    workflow: "Workflow",
    when: "When",
    specimen: "Specimen",
    next: "Next times",
    looked: "Looked at",
    moved_last: "Moved last",
    act: "Act",
    rests: "Rests",
    goes: "Goes on",
    never_again: "Never again",
    pause: "Pause",
    resume: "Let go on",
    run_now: "Run now",
    pause_says: "Nothing is started by it until somebody lets it go on. The times of a rest are skipped, not missed. What runs goes on.",
    resume_says: "It starts again at its next time. The times of the rest are not made up for.",
    moved_on: "Somebody has moved it since you looked. It is shown below as it stands now.",
    only: "Only for:",
    reason_if: "not needed",
    empty: "No registered workflow has a schedule. Write one under `triggers:` in a workflow, and register it.",
    back: "Back to the list",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "定期実行",
    capacity: "設備",
    schedule: "定期実行",
    state: "状態",
    workflow: "ワークフロー",
    when: "時刻指定",
    specimen: "検体",
    next: "次の予定",
    looked: "最終確認",
    moved_last: "最後の変更",
    act: "操作",
    rests: "休止中",
    goes: "稼働中",
    never_again: "予定なし",
    pause: "休止する",
    resume: "再開する",
    run_now: "今すぐ実行する",
    pause_says: "再開するまで、この定期実行からは何も始まりません。休止中の予定時刻は飛ばされ、後から補われません。実行中のものは続きます。",
    resume_says: "次の予定時刻から再び始まります。休止中の予定時刻は補われません。",
    moved_on: "表示してから状態が変わっています。下は現在の状態です。",
    only: "操作できる役割：",
    reason_if: "任意",
    empty: "定期実行のあるワークフローは登録されていません。ワークフローの `triggers:` に書いて登録してください。",
    back: "一覧へ戻る",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    fn pick(&self, en: String, ja: String) -> String {
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    pub(super) fn count(&self, count: &str) -> String {
        self.pick(format!("{count}, by workflow"), format!("{count}件・ワークフロー順"))
    }

    pub(super) fn started(&self, run: &str) -> String {
        self.pick(format!("Started: {run}"), format!("開始した実行：{run}"))
    }

    /// Who let it rest or go on, and why; nothing when nobody did.
    pub(super) fn moved(&self, by: &str, reason: &str) -> String {
        match (by.is_empty(), reason.is_empty()) {
            (true, _) => String::new(),
            (false, true) => by.to_owned(),
            (false, false) => self.pick(format!("{by}: {reason}"), format!("{by}：{reason}")),
        }
    }

    pub(super) fn run_now_says(&self, workflow: &str, specimen: &str) -> String {
        self.pick(
            format!("One run of {workflow} over {specimen} begins at once. The schedule itself stays as it is."),
            format!("検体{specimen}に対して{workflow}を1回、すぐに実行します。定期実行の予定は変わりません。"),
        )
    }
}
