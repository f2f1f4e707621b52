//! Words of the lists of specimens and order lines.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    pub(super) specimens: &'static str,
    pub(super) order_lines: &'static str,
    pub(super) by_id: &'static str,
    pub(super) longest_first: &'static str,
    pub(super) known_here: &'static str,
    pub(super) known_to_sheets: &'static str,
    pub(super) specimen: &'static str,
    pub(super) barcode: &'static str,
    pub(super) institution: &'static str,
    pub(super) program: &'static str,
    pub(super) assay: &'static str,
    pub(super) stage: &'static str,
    pub(super) owner: &'static str,
    pub(super) due: &'static str,
    pub(super) stuck_for: &'static str,
    pub(super) changed: &'static str,
    pub(super) begins: &'static str,
    pub(super) narrow: &'static str,
    pub(super) any: &'static str,
    pub(super) stuck: &'static str,
    pub(super) late: &'static str,
    pub(super) soon: &'static str,
    pub(super) held: &'static str,
    pub(super) no_specimens: &'static str,
    pub(super) no_sheets: &'static str,
    pub(super) no_lines: &'static str,
}

const EN: Words = Words {
    specimens: "Specimens",
    order_lines: "Order lines",
    by_id: "by id",
    longest_first: "longest first",
    known_here: "Known to the center",
    known_to_sheets: "Named by sheets",
    specimen: "Specimen",
    barcode: "Barcode",
    institution: "Institution",
    program: "Program",
    assay: "Assay",
    stage: "Stage",
    owner: "Owner",
    due: "Due",
    stuck_for: "Stuck for",
    changed: "Last change",
    begins: "Id begins with",
    narrow: "Narrow",
    any: "Any",
    stuck: "Stuck",
    late: "Late",
    soon: "Due within 3 days",
    held: "Held",
    no_specimens: "No specimen is like this. Specimens come in with a shipment's manifest.",
    no_sheets: "No sheet has named a specimen yet. Sheets come in with a submission.",
    no_lines: "No order line is like this. Orders come in with a shipment's manifest.",
};

const JA: Words = Words {
    specimens: "検体",
    order_lines: "依頼",
    by_id: "番号順",
    longest_first: "長い順",
    known_here: "センターの検体",
    known_to_sheets: "シートの検体",
    specimen: "検体",
    barcode: "バーコード",
    institution: "依頼施設",
    program: "プログラム",
    assay: "検査項目",
    stage: "工程",
    owner: "担当",
    due: "期限",
    stuck_for: "停滞",
    changed: "最終更新",
    begins: "番号の先頭",
    narrow: "絞り込む",
    any: "すべて",
    stuck: "停滞",
    late: "期限超過",
    soon: "3日以内に期限",
    held: "保留中",
    no_specimens: "該当する検体はありません。送付表を取り込むと登録されます。",
    no_sheets: "シートの検体はまだありません。シートを投入すると登録されます。",
    no_lines: "該当する依頼はありません。送付表を取り込むと登録されます。",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }
}
