//! Words of the list of decisions.

use kentai_engine::view::center::decision::Kind;

use crate::page::words::bilingual;

bilingual! {
    title: "Decisions", "判断";
    quality: "Quality", "品質";
    lead: "What people decided, with their reasons. What was decided about the things of a withdrawal stands with its case.", "判断とその理由の一覧。同意撤回の対象についての判断は、各案件に記録されています。";
    newest_first: "newest first", "新しい順";
    looked: "narrowed: a page looks through 5,000 decisions at a time", "絞り込み・1ページごとに5,000件を検索";
    kind: "Kind", "種類";
    person: "Person", "担当者";
    by: "By", "担当者";
    about: "About", "対象";
    decision: "Decision", "判断";
    why: "Why", "理由";
    at: "At", "日時";
    waits: "waits for the second person", "2人目の確認待ち";
    narrow: "Show", "表示する";
    empty: "Nobody decided anything like this yet.", "該当する判断はまだありません。";
}

impl Words {
    pub(super) fn kind(&self, kind: Kind) -> &'static str {
        let (en, ja) = match kind {
            Kind::Gate => ("Gate", "QCゲート"),
            Kind::Approval => ("Approval", "承認"),
            Kind::OrderLine => ("Order line", "依頼"),
            Kind::Proposal => ("Second person", "2人目の確認"),
        };
        self.pick(en, ja)
    }

    /// What was decided; its own word where we know none.
    pub(super) fn verdict(&self, verdict: &str) -> String {
        let (en, ja) = match verdict {
            "approve" => ("approved", "承認"),
            "reject" => ("rejected", "却下"),
            "release" | "released" => ("release", "引き渡しを承認"),
            "top_up" => ("top up", "追加シーケンス"),
            "re_prep" => ("prepare again", "再調製"),
            "re_extract" => ("extract again", "再抽出"),
            "new_material" => ("ask for new material", "再採取"),
            "give_up" => ("give up", "中止"),
            "reopen" => ("open again", "再開"),
            "retire" => ("let the copies here go", "複製の破棄"),
            "rerun" => ("run again", "再実行"),
            "stop" => ("stop", "停止"),
            other => return other.replace('_', " "),
        };
        self.pick(en, ja).to_owned()
    }
}
