//! Words of deviations.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) newest_first: &'static str,
    pub(super) state: &'static str,
    pub(super) severity: &'static str,
    pub(super) about: &'static str,
    pub(super) description: &'static str,
    pub(super) done: &'static str,
    pub(super) opened: &'static str,
    pub(super) specimen: &'static str,
    pub(super) specimen_if: &'static str,
    pub(super) act: &'static str,
    pub(super) open: &'static str,
    pub(super) closed: &'static str,
    pub(super) new: &'static str,
    pub(super) close: &'static str,
    pub(super) new_title: &'static str,
    pub(super) close_title: &'static str,
    pub(super) new_says: &'static str,
    pub(super) close_says: &'static str,
    pub(super) about_missing: &'static str,
    pub(super) description_missing: &'static str,
    pub(super) action_missing: &'static str,
    pub(super) severity_missing: &'static str,
    pub(super) moved_on: &'static str,
    pub(super) only: &'static str,
    pub(super) empty: &'static str,
    pub(super) back: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Deviations",
    newest_first: "newest first",
    state: "State",
    severity: "Severity",
    about: "About",
    description: "What was not as it should be",
    done: "What was done",
    opened: "Opened",
    specimen: "Specimen",
    specimen_if: "if it reaches one",
    act: "Act",
    open: "Open",
    closed: "Closed",
    new: "Write down",
    close: "Close",
    new_title: "Write a deviation down",
    close_title: "Close a deviation",
    new_says: "It is kept with your name and stays open until somebody closes it with what was done.",
    close_says: "It is kept for good with what you write here. A closed deviation is not opened again.",
    about_missing: "Say what it is about: a freezer, an instrument, a metric.",
    description_missing: "Say what was not as it should be.",
    action_missing: "Say what was done about it.",
    severity_missing: "Choose how bad it is.",
    moved_on: "Somebody has closed it since you looked. What they did stands below.",
    only: "Only for:",
    empty: "No deviation is in this state. People write them down, and the engine does when data is not what the order says.",
    back: "Back to the list",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "逸脱",
    newest_first: "新しい順",
    state: "状態",
    severity: "重大さ",
    about: "対象",
    description: "内容",
    done: "処置",
    opened: "記録",
    specimen: "検体",
    specimen_if: "関係する検体がある場合",
    act: "操作",
    open: "未処置",
    closed: "処置済み",
    new: "記録する",
    close: "処置済みにする",
    new_title: "逸脱の記録",
    close_title: "逸脱の処置",
    new_says: "記録者の名前とともに残り、処置を書いて閉じるまで未処置のままです。",
    close_says: "ここに書いた処置とともに残ります。閉じた逸脱を再び開くことはできません。",
    about_missing: "対象（冷凍庫、装置、指標など）を書いてください。",
    description_missing: "内容を書いてください。",
    action_missing: "行った処置を書いてください。",
    severity_missing: "重大さを選んでください。",
    moved_on: "表示してから別の人が処置済みにしています。その処置を下に示します。",
    only: "操作できる役割：",
    empty: "この状態の逸脱はありません。担当者が記録するほか、データが依頼と合わないときに自動で記録されます。",
    back: "一覧へ戻る",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    pub(super) fn severity(&self, word: &str) -> &'static str {
        let (en, ja) = match word {
            "critical" => ("Critical", "重大"),
            "major" => ("Major", "中程度"),
            "minor" => ("Minor", "軽微"),
            _ => ("", ""),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }
}
