//! Words of the audit log.

use crate::page::bilingual::bilingual;

bilingual! {
    title: "Audit log", "監査記録";
    newest_first: "newest first", "新しい順";
    chain: "The chain", "連鎖の検証";
    whole: "Here only the newest links are hashed again. All of it is written to a file with kentai admin audit export and verified with kentai admin audit verify, which needs no site.", "ここでは最新の記録だけを検証します。全体は kentai admin audit export で書き出し、kentai admin audit verify で検証できます（サイト不要）。";
    head: "Newest hash", "最新のハッシュ";
    key: "Key", "鍵";
    number: "Event", "番号";
    at: "When", "日時";
    what: "What", "内容";
    who: "Who", "誰が";
    about: "About", "対象";
    said: "More", "詳細";
    person: "Person or service", "人・サービス";
    narrow: "Narrow", "絞り込む";
    clear: "Everything", "すべて";
    about_example: "specimen, run, delivery, person", "検体・実行・送達・人";
    empty: "No event is like this.", "該当する記録はありません。";
    events: "Events", "記録";
    only_this: "only this", "絞り込む";
    further: "Further back", "さらに前へ";
    read: "That you read this is an event of the log, too.", "この閲覧も監査記録に残ります。";
}
