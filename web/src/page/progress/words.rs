//! Words of the seven tracked items.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) by_order: &'static str,
    pub(super) specimen: &'static str,
    pub(super) order_line: &'static str,
    pub(super) institution: &'static str,
    pub(super) assay: &'static str,
    /// In the order in which they are tracked.
    pub(super) items: [&'static str; 7],
    pub(super) empty: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Tracked items",
    lead: "Seven items of each order line, from consent to the report.",
    by_order: "by order line",
    specimen: "Specimen",
    order_line: "Order line",
    institution: "Institution",
    assay: "Assay",
    items: [
        "Consent",
        "Specimen",
        "Sent and received",
        "Quality",
        "Analysis",
        "Clinical information",
        "Report returned",
    ],
    empty: "Nothing was ordered yet. Order lines come with the tables of shipments.",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "進捗7項目",
    lead: "同意からレポート返却まで、依頼ごとの7項目の状況です。",
    by_order: "依頼番号順",
    specimen: "検体",
    order_line: "依頼",
    institution: "依頼施設",
    assay: "アッセイ",
    items: ["同意", "検体の所在", "送付・受領", "QC", "解析", "臨床情報", "レポート返却"],
    empty: "依頼はまだありません。依頼は、送付一覧の取り込みで登録されます。",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    /// How an item stands; a question mark: a word that is not known here.
    pub(super) fn item(&self, word: &str) -> &'static str {
        let (en, ja) = match word {
            "pending" => ("Pending", "未着手"),
            "counting" => ("Counting reads", "リード集計中"),
            "passed" => ("Passed", "合格"),
            "waived" => ("Waived", "免除"),
            "failed" => ("Failed", "不合格"),
            "ready" => ("Ready", "準備完了"),
            "running" => ("Running", "解析中"),
            "in_review" => ("In review", "審査待ち"),
            "closed_failed" => ("Closed as failed", "不合格で終了"),
            "withdrawn" => ("Withdrawn", "撤回"),
            "canceled" => ("Canceled", "取消"),
            "released" => ("Released", "承認済み"),
            "offered" => ("Offered", "提示中"),
            "delivered" => ("Delivered", "引き渡し済み"),
            "acknowledged" => ("Acknowledged", "受領確認済み"),
            "refused" => ("Refused", "拒否"),
            "archived" => ("Archived", "保管済み"),
            "recalled" => ("Recalled", "回収"),
            "unknown" => ("Unknown", "不明"),
            "given" => ("Given", "あり"),
            "partial" => ("Partial", "一部"),
            "expired" => ("Expired", "期限切れ"),
            "in_lab" => ("In the lab", "ラボ内"),
            "packed" => ("Packed", "梱包済み"),
            "in_transit" => ("In transit", "輸送中"),
            "in_biobank" => ("In the biobank", "バイオバンク"),
            "destroyed" => ("Destroyed", "廃棄"),
            "returned" => ("Returned", "返却済み"),
            "exhausted" => ("Used up", "使い切り"),
            "lost" => ("Lost", "紛失"),
            "expected" => ("Expected", "到着待ち"),
            "accepted" => ("Accepted", "受入済み"),
            "rejected" => ("Rejected", "受入不可"),
            "missing" => ("Missing", "欠品"),
            "extra" => ("Not announced", "予告なし"),
            "complete" => ("Complete", "完備"),
            _ => ("?", "?"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }
}
