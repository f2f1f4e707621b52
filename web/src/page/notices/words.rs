//! Words of notices and their letters.

use kentai_engine::specimen::record::LetterState;

use crate::page::shape::{Shape, State as Shown};
use crate::page::words::bilingual;

bilingual! {
    title: "Letters", "通知";
    lead: "What is told to somebody outside. A letter that was given up waits here until a person sends it again or its answer is written down.", "外部への通知の一覧。未達の通知は、再送するか回答を記録するまでここに残ります。";
    newest_first: "newest first", "新しい順";
    dead: "Given up", "未達";
    dead_note: "newest first; nobody tries them again by itself", "新しい順・自動では再送されない";
    others: "All others", "そのほか";
    narrowed: "Letters", "通知";
    state: "State", "状態";
    says: "Says", "内容";
    to: "To", "宛先";
    about: "About", "対象";
    letters: "Letters", "送付状況";
    tries: "Tries", "試行";
    written: "Written", "作成";
    answer_by: "Answer by", "回答期限";
    empty: "No letter is like this. One is written when something changes that somebody outside must know.", "該当する通知はありません。外部に知らせる変更があると作成されます。";
    none_dead: "No letter was given up.", "未達の通知はありません。";
    act: "Act", "操作";
    only: "Only:", "担当：";
    hand_off: "Hand-off", "引き渡し";
    // One.
    receipt: "Answer", "回答";
    channel: "Way", "手段";
    address: "Address", "送り先";
    tried: "Last tried", "最終試行";
    next: "Next try", "次の試行";
    said: "What was said", "応答";
    body: "The message", "本文";
    only_file: "signed file only", "署名付きファイルのみ";
    no_letters: "Nobody subscribes to it: only the signed file under notices/ of the site tells it.", "登録された宛先がないため、サイトの notices/ にある署名付きファイルのみで伝えています。";
    again: "Send again", "再送する";
    again_says: "It goes to whoever subscribes now, under the same id: what was given up first; where everybody has it, to all of them again.", "同じ番号のまま、現在の宛先へ送ります。未達のものから送り、すべて届いている場合は全員に再送します。";
    answered: "Record an answer", "回答を記録する";
    answered_says: "Somebody outside answered by another way. What still waits is not sent any more.", "ほかの手段で回答があった場合に記録します。未送信の通知は送られなくなります。";
    reference: "Reference of the answer", "回答の参照番号";
    reference_missing: "Give the reference of the answer: where it lies.", "回答の参照番号（保管場所）を入力してください。";
    moved_on: "It has moved on since you looked: nothing was done. Look at how it stands now, and decide anew.", "表示後に状態が変わったため、何も実行していません。現在の状態を確認して、あらためて判断してください。";
}

/// Statuses of notices, in the order of their filters.
pub(super) const STATUSES: [&str; 6] = ["undelivered", "sending", "pending", "sent", "answered", "called_back"];
/// What notices say.
pub(super) const SUBJECTS: [&str; 9] = [
    "sample.offered",
    "delivery.delivered",
    "delivery.recalled",
    "receipt.late",
    "receipt.mismatch",
    "failure_report",
    "withdrawal",
    "scope_change",
    "test",
];

impl Words {
    /// Where a notice stands.
    pub(super) fn status(&self, status: &str) -> Shown {
        let (shape, en, ja) = match status {
            "pending" => (Shape::Waiting, "Waits for an answer", "回答待ち"),
            "sending" => (Shape::Running, "On its way", "送信中"),
            "sent" => (Shape::Passed, "Sent", "送信済み"),
            "undelivered" => (Shape::Failed, "Given up", "未達"),
            "answered" => (Shape::Passed, "Answered", "回答済み"),
            "called_back" => (Shape::Canceled, "Called back", "回収"),
            other => return Shape::Waiting.called(other),
        };
        shape.called(self.pick(en, ja))
    }

    /// Where a letter stands.
    pub(super) fn letter(&self, state: LetterState) -> Shown {
        let (shape, en, ja) = match state {
            LetterState::Due => (Shape::Waiting, "Due", "送信待ち"),
            LetterState::Taken => (Shape::Passed, "Taken", "到達"),
            LetterState::Dead => (Shape::Failed, "Given up", "未達"),
            LetterState::Dropped => (Shape::Canceled, "Not needed", "送信不要"),
            LetterState::CalledBack => (Shape::Canceled, "Called back", "回収"),
        };
        shape.called(self.pick(en, ja))
    }

    /// `2 taken, 1 given up`
    pub(super) fn counted(&self, counts: &[(LetterState, usize)]) -> String {
        let one = |(state, count): &(LetterState, usize)| {
            let word = self.letter(*state).word;
            self.pick(format!("{count} {}", word.to_lowercase()), format!("{word}{count}"))
        };
        counts.iter().map(one).collect::<Vec<_>>().join(self.pick(", ", "・"))
    }

    /// What a notice says; its own word where we know none.
    pub(crate) fn subject(&self, subject: &str) -> String {
        let (en, ja) = match subject {
            "sample.offered" => ("Delivery offered", "提供の開始"),
            "delivery.delivered" => ("Delivery arrived", "送達の完了"),
            "delivery.recalled" => ("Delivery called back", "送達の回収"),
            "delivery.superseded" => ("Delivery superseded", "送達の差し替え"),
            "delivery.expired" => ("Offer over", "提供の終了"),
            "delivery.pulling" => ("Being fetched", "取得の開始"),
            "delivery.partly_acknowledged" => ("Partly acknowledged", "一部受領確認"),
            "delivery.acknowledged" => ("Acknowledged", "受領確認"),
            "delivery.refused" => ("Refused", "受取拒否"),
            "delivery.retired" => ("Copies gone", "複製の破棄"),
            "receipt.late" => ("Receipt late", "受領確認の遅れ"),
            "receipt.mismatch" => ("Other bytes at the receiver", "受領内容の不一致"),
            "failure_report" => ("Failure report", "不成立の報告"),
            "withdrawal" => ("Withdrawal", "同意撤回"),
            "scope_change" => ("Narrower scope", "同意範囲の縮小"),
            "test" => ("Test", "テスト"),
            other => return other.to_owned(),
        };
        self.pick(en, ja).to_owned()
    }
}
