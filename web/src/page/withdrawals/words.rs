//! Words of withdrawals.

use kentai_engine::state::case_item;

use crate::page::shape::{Shape, State as Shown};
use crate::page::words::bilingual;

bilingual! {
    title: "Withdrawals", "同意撤回";
    specimens: "Specimens", "検体";
    newest_first: "newest first", "新しい順";
    state: "State", "状態";
    case: "Case", "案件";
    participant: "Participant", "参加者";
    institution: "Institution", "依頼施設";
    asked: "Since asked", "申し出から";
    to_stop: "To stop", "停止まで";
    to_receipt: "To last receipt", "最終回答まで";
    things: "Things done", "対象の処理";
    answers: "Answered", "回答";
    empty: "No case is in this state. One is opened when somebody records that a participant took consent back.", "この状態の案件はありません。同意の撤回を記録すると案件が作られます。";
    // Writing one down.
    new_title: "Record a withdrawal", "同意撤回の記録";
    whose_says: "Whose consent was taken back? A participant is named by program and pseudonym.", "同意を撤回した参加者を、プログラムと仮名で指定します。";
    program: "Program", "プログラム";
    pseudonym: "Pseudonym", "仮名";
    look_up: "Look up", "参加者を表示する";
    nobody_such: "Nobody of this program has this pseudonym here.", "このプログラムに、この仮名の参加者はいません。";
    consent: "Consent", "同意";
    covers: "Covers", "同意の範囲";
    covers_nothing: "nothing that is on record", "記録なし";
    what_happens: "What will happen", "実行される内容";
    new_says: "It acts at once and is not undone: what is taken back stops within seconds, downloads end, receivers are told. A new consent needs a new entry and a new order. What becomes of each file and tube two people decide afterwards, on the case.", "ただちに実行され、取り消しはできません。撤回の範囲の処理は数秒で止まり、ダウンロードは打ち切られ、受領先に通知されます。再び同意する場合は、新しい参加者登録と依頼が必要です。ファイルや検体の扱いは、その後、案件で2人が判断します。";
    withdrawn_already: "Everything was taken back already:", "すでにすべて撤回されています：";
    takes_back: "What is taken back", "撤回の範囲";
    all_uses: "Everything", "すべて";
    all_uses_says: "Nothing of this participant runs, leaves or can be opened any more. Their order lines end.", "この参加者に関する処理、引き渡し、閲覧をすべて停止し、依頼を終了します。";
    some_uses: "Only some uses", "一部の利用のみ";
    some_uses_says: "Work for other uses goes on. What needs one of these does not, and its deliveries are called back.", "ほかの利用の作業は続きます。選んだ利用に必要な作業は止まり、その送達は回収されます。";
    what_missing: "Choose what is taken back.", "撤回の範囲を選んでください。";
    uses_missing: "Choose the uses that are taken back.", "撤回する利用を選んでください。";
    evidence_note: "(letter, folder, number)", "（文書番号、綴りなど）";
    evidence_missing: "Say where the notice lies: a withdrawal stands on it.", "撤回書の保管場所を入力してください。";
    noticed: "When the participant said so", "申し出の日時";
    noticed_note: "(empty: now)", "（空欄は現在）";
    noticed_wrong: "Give date and time, like 2026-11-25T09:30.", "日付と時刻を 2026-11-25T09:30 の形で入力してください。";
    noticed_to_come: "This time is still to come.", "未来の日時は入力できません。";
    reason_note: "(if they gave one: they owe none)", "（任意。参加者に理由を述べる義務はありません）";
    reason: "What they said of it", "申し出の理由";
    do_record: "Record the withdrawal", "撤回を記録する";
    consent_moved_on: "This consent has changed since you looked: nothing was done. Look at how it stands now.", "表示後に同意の状態が変わったため、何も実行していません。現在の状態を確認してください。";
    back: "Back to withdrawals", "撤回の一覧に戻る";
    // One.
    evidence: "Notice lies at", "撤回書の保管場所";
    scopes: "Takes back", "撤回の範囲";
    everything: "everything", "すべて";
    sealed: "Closed to everybody", "アクセス遮断";
    closed: "Closed", "終了";
    runs: "Runs ended", "停止した実行";
    not_yet: "not yet", "未了";
    nobody_asked: "nobody has to answer", "回答者なし";
    nothing_to_stop: "work for other uses goes on", "ほかの利用の作業は継続";
    things_head: "Things", "対象";
    things_note: "two people decide about each; what is proposed comes first", "1件ごとに2人で判断・提案済みを先に表示";
    thing: "Thing", "対象";
    size: "Size", "サイズ";
    sha256: "SHA-256", "SHA-256";
    decision: "Decision", "判断";
    by: "By", "提案者・確認者";
    choose: "Choose", "選択";
    shared: "also of", "ほかの由来：";
    until: "holds until", "提案の期限";
    no_things: "Nothing of the participant was made here: there is nothing to decide.", "センターに参加者由来の対象はありません。";
    propose: "Propose", "提案する";
    propose_head: "Decide about what is chosen", "選択した対象の判断";
    destroy: "Destroy", "破棄する";
    destroy_says: "The bytes go when a second person confirms, and a certificate stays. What is made from others too is not destroyed by this case.", "2人目の確認後に破棄し、証明書を残します。ほかの参加者のデータからも作られたものは、この案件では破棄できません。";
    keep: "Keep", "保管する";
    keep_says: "It stays, out of reach, for as long as its ethics reference says.", "アクセスを遮断したまま、倫理審査の承認に従って保管します。";
    stub: "Keep name and checksum only", "名称とチェックサムのみ残す";
    stub_says: "What is kept elsewhere is told by its name and checksum.", "ほかの場所にあるものを、名称とチェックサムだけで記録します。";
    reference: "Ethics reference", "倫理審査の承認番号";
    reference_if: "(for what is kept)", "（保管する場合）";
    reference_missing: "What is kept needs its ethics reference.", "保管するには倫理審査の承認番号が必要です。";
    decision_missing: "Choose what becomes of it.", "処理の方法を選んでください。";
    things_missing: "Choose one thing at least.", "対象を1件以上選んでください。";
    confirm: "Confirm what is chosen", "選択した提案を確認する";
    confirm_says: "You are the second person: what is to be destroyed is destroyed at once, and it cannot be taken back.", "2人目の確認です。破棄の対象はただちに破棄され、取り消しはできません。";
    not_confirmable: "Only what another person proposed can be confirmed.", "確認できるのは、ほかの人が提案した対象だけです。";
    only: "Only:", "担当：";
    moved_on: "Something has moved on since you looked: nothing was done. Look at how it stands now, and decide anew.", "表示後に状態が変わったため、何も実行していません。現在の状態を確認して、あらためて判断してください。";
    notices: "Messages and answers", "通知と回答";
    no_notices: "Nobody outside has anything of this participant.", "外部にこの参加者のデータを持つ者はいません。";
    events: "What happened", "経過";
    events_note: "newest first", "新しい順";
    at: "At", "日時";
    event: "Event", "出来事";
    person: "Person", "担当者";
    why: "Why", "理由";
    close: "Close the case", "案件を終了する";
    close_says: "Everything is decided, done and answered. The audit stays.", "すべての対象の処理と回答が完了しています。監査記録は残ります。";
    not_yet_close: "It is closed when everything is decided and done, and everybody has answered.", "すべての対象を処理し、すべての回答を受けると終了できます。";
}

/// Statuses of cases, in the order of their filters.
pub(super) const STATUSES: [&str; 6] = ["recorded", "stopped", "listed", "sealed", "notified", "closed"];

impl Words {
    /// Where a case stands.
    pub(super) fn status(&self, status: &str) -> Shown {
        let (shape, en, ja) = match status {
            "recorded" => (Shape::Running, "Recorded", "記録済み"),
            "stopped" => (Shape::Running, "Stopped", "停止済み"),
            "listed" => (Shape::Running, "Being sealed", "遮断処理中"),
            "sealed" => (Shape::Needs, "To be decided", "判断待ち"),
            "notified" => (Shape::Waiting, "Waits for answers", "回答待ち"),
            "closed" => (Shape::Passed, "Closed", "終了"),
            other => return Shape::Waiting.called(other),
        };
        shape.called(self.pick(en, ja))
    }

    /// Where a thing stands.
    pub(super) fn thing_status(&self, status: case_item::Status) -> Shown {
        let (shape, en, ja) = match status {
            case_item::Status::Listed => (Shape::Needs, "To decide", "未決定"),
            case_item::Status::Proposed => (Shape::Needs, "To confirm", "確認待ち"),
            case_item::Status::Confirmed => (Shape::Running, "Being done", "実施中"),
            case_item::Status::Done => (Shape::Passed, "Done", "完了"),
        };
        shape.called(self.pick(en, ja))
    }

    /// What a thing is.
    pub(super) fn kind(&self, thing: &str) -> String {
        let (en, ja) = match thing {
            "artifact" => ("file", "ファイル"),
            "specimen" => ("specimen", "検体"),
            "lane" => ("lane", "レーン"),
            "delivery" => ("delivery", "送達"),
            "backup" => ("backup", "バックアップ"),
            "joint_output" => ("joint output", "共同解析の出力"),
            "run_folder" => ("file of a run folder", "ランフォルダのファイル"),
            other => return other.to_owned(),
        };
        self.pick(en, ja).to_owned()
    }

    /// What was decided.
    pub(super) fn decided(&self, decision: &str) -> String {
        let (en, ja) = match decision {
            "destroy" => ("destroy", "破棄"),
            "keep" => ("keep", "保管"),
            "stub" => ("name and checksum only", "名称とチェックサムのみ"),
            other => return other.to_owned(),
        };
        self.pick(en, ja).to_owned()
    }

    /// What happened.
    pub(super) fn happened(&self, kind: &str) -> String {
        let (en, ja) = match kind {
            "case_opened" => ("consent was taken back", "同意撤回を記録"),
            "case_stopped" => ("runs ended, deliveries called back", "実行を停止し、送達を回収"),
            "case_listed" => ("everything listed, receivers told", "対象を列挙し、外部に通知"),
            "case_sealed" => ("closed to everybody", "アクセスを遮断"),
            "case_notified" => ("receivers told", "外部に通知"),
            "case_closed" => ("closed", "案件を終了"),
            "case_item_proposed" => ("decision proposed", "処理を提案"),
            "case_item_confirmed" => ("decision confirmed", "処理を確認"),
            "case_item_done" => ("done", "処理を完了"),
            "notice_written" => ("notice written", "通知を作成"),
            "notice_answered" => ("notice answered", "回答を記録"),
            "notice_sent_again" => ("notice sent again", "通知を再送"),
            other => return other.replace('_', " "),
        };
        self.pick(en, ja).to_owned()
    }

    /// `5 of 12 done, 3 to decide, 2 to confirm`
    pub(super) fn progress(&self, of: &str, listed: &str, proposed: &str) -> String {
        self.pick(
            format!("{of} done, {listed} to decide, {proposed} to confirm"),
            format!("{of}完了・未決定{listed}・確認待ち{proposed}"),
        )
    }

    /// How far somebody came before it was refused.
    pub(super) fn done_before(&self, done: usize, thing: &str) -> String {
        self.pick(format!("{done} done; then {thing}:"), format!("{done}件を実行後、{thing}："))
    }
}
