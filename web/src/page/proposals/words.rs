//! Words of what waits for a second person.

use crate::page::bilingual::bilingual;

bilingual! {
    title: "What waits for a second person", "2人目の確認待ち";
    oldest_first: "oldest first", "古い順";
    what: "What", "内容";
    about: "About", "対象";
    reason: "Reason", "理由";
    proposed_by: "Proposed by", "提案者";
    since: "Since", "経過";
    until: "Holds until", "有効期限";
    who_may: "Who may confirm", "確認できる人";
    confirm: "Confirm", "確認する";
    act: "Act", "操作";
    empty: "Nobody has proposed anything that waits. To open an ended order line again, to release one, and to let the copies of a delivery go wants two people.", "確認待ちの提案はありません。終了した依頼の再開、引き渡しの承認、送達データの保持終了には2人の確認が必要です。";
    confirm_title: "Confirm a proposal", "提案を確認する";
    reopen_says: "The order line is opened again, where it had come to.", "依頼を、到達していた工程から再開します。";
    released_says: "What was analyzed may leave the building.", "解析結果の引き渡しを承認します。";
    retire_says: "The copies that this site keeps of the delivery are destroyed, on record first; a signed certificate says so. This cannot be undone.", "この送達のデータをサイトから消去します。先に記録し、署名付き証明書を発行します。元に戻せません。";
    other_says: "What was proposed is done.", "提案どおりに実行します。";
    reopen: "Open an ended order line again", "終了した依頼の再開";
    released: "Release", "引き渡しの承認";
    retire: "Let the copies of a delivery go", "送達データの保持終了";
    confirmed: "It is confirmed, and done.", "確認し、実行しました。";
    is_confirmed: "Somebody has confirmed it already.", "すでに確認されています。";
    is_over: "It was proposed too long ago: propose it again.", "提案の有効期限が切れています。もう一度提案してください。";
    moved_on: "Things have moved on since this was shown: look at it and decide again.", "表示後に状態が変わりました。確認してやり直してください。";
    only: "This may be confirmed by:", "確認できる人：";
    withdrawals: "What a withdrawal destroys waits for its second person with its case.", "同意撤回による消去の確認は、案件ごとに行います。";
    all_withdrawals: "Withdrawals", "同意撤回";
    back: "Back to the list", "一覧へ戻る";
}
