//! Words of omissions.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    /// Word of the engine, heading.
    pub(super) kinds: [(&'static str, &'static str); 9],
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) institution: &'static str,
    pub(super) since: &'static str,
    pub(super) due: &'static str,
    pub(super) owner: &'static str,
    pub(super) oldest_first: &'static str,
    pub(super) empty: &'static str,
    pub(super) kind: &'static str,
    pub(super) progress: &'static str,
    pub(super) deviations: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Omissions",
    kinds: [
        ("unanswered_notice", "Notices without an answer"),
        ("undelivered_notice", "Notices that did not arrive"),
        ("late_receipt", "Late receipts"),
        ("order_without_consent", "Orders without consent"),
        ("order_without_data", "Orders without data"),
        ("data_without_specimen", "Data without a specimen"),
        ("specimen_without_order", "Specimens without an order"),
        ("extra_item", "Tubes that nobody announced"),
        ("missing_item", "Tubes that did not come"),
    ],
    what: "Thing",
    why: "What is missing",
    institution: "Institution",
    since: "Since",
    due: "Due",
    owner: "Who must act",
    oldest_first: "the longest late first",
    empty: "Nothing of this kind. What nobody expected, brought or answered would stand here until somebody acts.",
    kind: "Kind",
    progress: "Tracked items",
    deviations: "Deviations",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "漏れ",
    kinds: [
        ("unanswered_notice", "回答のない通知"),
        ("undelivered_notice", "届かなかった通知"),
        ("late_receipt", "受領確認の遅れ"),
        ("order_without_consent", "同意のない依頼"),
        ("order_without_data", "データのない依頼"),
        ("data_without_specimen", "検体のないデータ"),
        ("specimen_without_order", "依頼のない検体"),
        ("extra_item", "予告のないチューブ"),
        ("missing_item", "届いていないチューブ"),
    ],
    what: "対象",
    why: "内容",
    institution: "依頼施設",
    since: "発生",
    due: "期限",
    owner: "対応者",
    oldest_first: "遅れの長い順",
    empty: "該当するものはありません。予告・到着・回答のないものがあれば、対応が済むまでここに表示します。",
    kind: "種類",
    progress: "進捗7項目",
    deviations: "逸脱",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    fn pick<T>(&self, en: T, ja: T) -> T {
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    pub(super) fn kind(&self, word: &str) -> &'static str {
        self.kinds.iter().find(|(kind, _)| *kind == word).map_or(self.title, |(_, name)| name)
    }

    pub(super) fn thing(&self, kind: &str) -> &'static str {
        let (en, ja) = match kind {
            "specimen" => ("Specimen", "検体"),
            "order_line" => ("Order line", "依頼"),
            "item" => ("Tube", "チューブ"),
            "lane_library" => ("Lane", "レーン"),
            "notice" => ("Notice", "通知"),
            "delivery" => ("Delivery", "引き渡し"),
            _ => ("", ""),
        };
        self.pick(en, ja)
    }

    pub(super) fn owner(&self, owner: &str) -> &'static str {
        match owner {
            "instrument" => self.pick("instrument", "装置"),
            _ => "",
        }
    }

    pub(super) fn late(&self, time: &str) -> String {
        self.pick(format!("{time} late"), format!("{time}超過"))
    }

    pub(super) fn left(&self, time: &str) -> String {
        self.pick(format!("in {time}"), format!("あと{time}"))
    }

    pub(super) fn rest(&self, shown: &str, all: &str) -> String {
        self.pick(format!("{shown} of the {all} that follow"), format!("残り{all}件中{shown}件"))
    }

    pub(super) fn lead(&self, count: &str, many: bool, none: bool) -> String {
        match (none, many) {
            (true, _) => self.pick("Nothing is omitted.".into(), "漏れはありません。".into()),
            (false, true) => self.pick(
                format!("More than {count} things that nobody expected, brought or answered."),
                format!("予告・到着・回答のないものが{count}件以上あります。"),
            ),
            (false, false) => self.pick(
                format!("Things that nobody expected, brought or answered: {count}."),
                format!("予告・到着・回答のないものが{count}件あります。"),
            ),
        }
    }
}
