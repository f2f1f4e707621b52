//! Words of a specimen's page.

use kentai_workflows::diagnostic::Language;

macro_rules! words {
    ($($name:ident: $en:literal, $ja:literal;)*) => {
        #[derive(Debug)]
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        const EN: Words = Words { $($name: $en,)* };
        const JA: Words = Words { $($name: $ja,)* };
    };
}

words! {
    specimens: "Specimens", "検体";
    family: "Family", "家族";
    stage: "Stage", "工程";
    hold: "Hold", "保留";
    hold_act: "Hold", "保留する";
    resume_act: "Resume", "再開する";
    withdraw: "Record a withdrawal", "同意撤回を記録する";
    none: "None", "なし";
    never_held: "never held", "保留の記録なし";
    held_before: "held before", "過去に保留あり";
    held: "Held", "保留中";
    consent: "Consent", "同意";
    custody: "Custody of leftover", "残余検体の所在";
    priority: "Priority", "優先度";
    clocks: "Clocks", "所要日数";
    due: "due", "期限";
    print: "Print as evidence", "証跡を印刷する";
    verify: "Verify chain", "監査記録を検証する";
    provenance: "Download provenance", "来歴をダウンロードする";
    no_order: "Nothing was ordered for this specimen.", "この検体には依頼がありません。";
    order_lines: "Order lines", "依頼";
    check: "Check", "項目";
    value: "Value", "値";
    limit: "Limit", "基準";
    strip: "Where it lies", "位置";
    verdict: "Verdict", "判定";
    strip_key: "Tint: accepted side. Long tick: fail limit. Short tick: warn limit.", "色の帯：合格側。長い線：不合格の限界。短い線：警告の限界。";
    step: "Step", "ステップ";
    done: "Done", "完了";
    ran: "Ran", "実行時間";
    memory: "Memory", "メモリ";
    image: "Image", "イメージ";
    attempts: "Attempts", "試行";
    one_each: "one each", "各1回";
    all_attempts: "all attempts", "すべての試行";
    file: "File", "ファイル";
    size: "Size", "サイズ";
    sha_sent: "SHA-256 we sent", "送付時のSHA-256";
    sha_seen: "SHA-256 they computed", "受領側のSHA-256";
    outcome: "Outcome", "結果";
    accession: "Accession", "受入番号";
    other_files: "What lies around the data", "データに添えたファイル";
    on_tube: "on the tube", "チューブ";
    in_manifest: "in the manifest", "送付表";
    matched_as: "matched as", "照合キー";
    spelled: "spellings differ; both kept byte for byte", "表記が異なるため両方をそのまま保存";
    next: "next", "次";
    other_runs: "Other runs over this specimen", "この検体のほかの実行";
    run: "Run", "実行";
    workflow: "Workflow", "ワークフロー";
    state: "State", "状態";
    changed: "Last change", "最終更新";
    events: "Events", "記録";
    engine: "engine", "エンジン";
    printed: "Printed", "印刷";
    chain_root: "chain root", "監査記録の先端";
    story: "From shipment to accession", "発送から受入まで";
    log_number: "No. in the log", "ログ番号";
    when: "When", "日時";
    what: "What", "内容";
    of: "Of", "対象";
    who: "Who", "実施者";
    hash: "Hash", "ハッシュ";
    follows: "Follows", "連鎖";
    chain_title: "Chain of events", "監査記録の検証";
    back_to_story: "Back to the story", "経過に戻る";
    only_sheet: "Known from a sheet only: nobody announced, received or ordered it here.", "シートにのみ記載されています。到着や依頼の記録はありません。";
    sheet: "Sheet", "シート";
    participant: "Participant", "参加者";
    barcode: "Barcode", "バーコード";
    runs: "Runs", "実行";
    deliveries: "Deliveries", "送達";
    delivery: "Delivery", "送達";
    to: "To", "送り先";
    none_yet: "None yet.", "まだありません。";
    moved_on: "It has moved on since this page was shown. Look again, then decide.", "表示後に状態が変わりました。内容を確認し、あらためて判断してください。";
    who_may: "Operators, reviewers and releasers may hold and resume.", "保留と再開は運用担当、QC審査者、承認者が行えます。";
    hold_says: "It stays where it is: nothing of it starts, nothing is released, and nobody is told that it is late.", "この工程で止まります。新たな処理も引き渡しも行われず、遅延にも数えません。";
    resume_says: "It goes on from where it is; its time for this stage begins anew.", "この工程から再開します。工程の期限は改めて始まります。";
    cancel: "Back", "戻る";
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }
}

/// A word of the engine's that is shown in a sentence, in the reader's language; one that is not known stays as it is.
pub(super) fn word(word: &str, language: Language) -> String {
    let found = match word {
        "unknown" => ("Not recorded", "記録なし"),
        "given" => ("Given", "同意あり"),
        "partial" => ("Given in part", "一部同意"),
        "refused" => ("Refused", "不同意"),
        "withdrawn" => ("Withdrawn", "撤回"),
        "expired" => ("Expired", "期限切れ"),
        "in_lab" => ("In the lab", "ラボ"),
        "packed" => ("Packed", "梱包済み"),
        "in_transit" => ("On its way", "輸送中"),
        "in_biobank" => ("Biobank", "バイオバンク"),
        "destroyed" => ("Destroyed", "廃棄済み"),
        "returned" => ("Returned", "返却済み"),
        "exhausted" => ("Used up", "使い切り"),
        "lost" => ("Lost", "所在不明"),
        "routine" => ("Routine", "通常"),
        "urgent" => ("Urgent", "至急"),
        "stat" => ("Immediate", "最優先"),
        "top_up" => ("top up", "シーケンスを追加"),
        "re_prep" => ("prepare again", "再調製"),
        "re_extract" => ("extract again", "再抽出"),
        "new_material" => ("ask for new material", "再採取を依頼"),
        "release" => ("let it pass", "理由を付けて通す"),
        "give_up" => ("give up", "中止"),
        "approve" => ("approve", "承認"),
        "reject" => ("send back", "差し戻し"),
        "accepted" => ("Accepted", "受領"),
        "offered" => ("Not answered", "未回答"),
        "mismatch" => ("Other bytes", "内容不一致"),
        "blood" => ("Blood", "血液"),
        "saliva" => ("Saliva", "唾液"),
        "dna" => ("DNA", "DNA"),
        "tissue" => ("Tissue", "組織"),
        "proband" => ("proband", "発端者"),
        "mother" => ("mother", "母"),
        "father" => ("father", "父"),
        "sibling" => ("sibling", "同胞"),
        "good" => ("good", "良好"),
        "oom" | "memory" | "out_of_memory" => ("out of memory", "メモリ不足"),
        other => return other.replace('_', " "),
    };
    match language {
        Language::En => found.0,
        Language::Ja => found.1,
    }
    .to_owned()
}
