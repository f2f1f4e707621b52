//! Words of instrument runs, shipments and participants.

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
    withdraw: "Record a withdrawal", "同意撤回を記録する";
    specimen: "Specimen", "検体";
    newest_first: "newest first", "新しい順";
    state: "State", "状態";
    stage: "Stage", "工程";
    changed: "Last change", "最終更新";
    instrument_runs: "Instrument runs", "ラン";
    instrument_run: "Instrument run", "ラン";
    instrument: "Instrument", "装置";
    flow_cell: "Flow cell", "フローセル";
    waits: "Why it is not taken in", "未取り込みの理由";
    place: "Place", "場所";
    folder: "Folder", "フォルダー";
    lanes: "Lanes", "レーン";
    lane: "Lane", "レーン";
    sample: "As its sheet names it", "シートの名前";
    reads: "Reads", "リード数";
    decided: "Decided by", "判断";
    unknown: "No specimen is known for", "検体不明";
    no_runs: "No instrument run is like this. A run folder appears here as soon as the watcher sees it.", "該当するランはありません。ランフォルダーは検出と同時に表示されます。";
    no_lanes: "No lane has arrived yet.", "レーンはまだありません。";
    shipments: "Shipments", "便";
    shipment: "Shipment", "便";
    institution: "Institution", "依頼施設";
    tracking: "Carrier's number", "伝票番号";
    announced: "Announced", "予告";
    tubes: "Tubes", "チューブ";
    barcode: "In the manifest", "送付表の表記";
    scanned: "As scanned, when it differs", "読み取り（異なる場合）";
    condition: "Condition", "状態の記録";
    no_shipments: "No shipment is like this. Shipments come in with a manifest.", "該当する便はありません。送付表を取り込むと登録されます。";
    no_tubes: "No tube was announced.", "チューブの予告はありません。";
    program: "Program", "プログラム";
    scopes: "Covers", "同意の範囲";
    family: "Family", "家族";
    consents: "Consent, oldest first", "同意の記録（古い順）";
    form: "Form", "同意書";
    version: "Version", "版";
    recorded_by: "Recorded by", "記録者";
    no_consents: "No consent is recorded.", "同意の記録はありません。";
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }
}
