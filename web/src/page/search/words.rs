//! Words of the search.

use kentai_engine::view::center::search::Found;
use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) what: &'static str,
    pub(super) thing: &'static str,
    pub(super) by: &'static str,
    pub(super) of: &'static str,
    pub(super) several: &'static str,
    pub(super) nothing: &'static str,
    pub(super) looked_for: &'static str,
    pub(super) near: &'static str,
    pub(super) near_says: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Search",
    what: "What",
    thing: "Found",
    by: "By",
    of: "Of",
    several: "Several things fit.",
    nothing: "Nothing is found for",
    looked_for: "Looked for: specimens by id or barcode as scanned, order lines, participants, shipments and cases by their whole id, runs and \
                 deliveries by the beginning of their id, instrument runs and flow cells, files by name, checksums from eight digits on.",
    near: "Nearly the same barcode",
    near_says: "They differ by leading zeros only. Leading zeros make another tube: look at the label.",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "検索",
    what: "種類",
    thing: "該当",
    by: "一致した項目",
    of: "対象",
    several: "複数の候補があります。",
    nothing: "該当なし：",
    looked_for: "検索対象：検体（番号、読み取ったバーコード）、依頼・参加者・便・撤回案件（番号全体）、実行・送達（番号の先頭）、ラン・フローセル、ファイル名、チェックサム（先頭8桁以上）。",
    near: "ほぼ一致するバーコード",
    near_says: "先頭のゼロだけが異なります。ゼロの有無で別のチューブになるため、ラベルを確認してください。",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    pub(super) fn kind(&self, what: Found) -> &'static str {
        let (en, ja) = match what {
            Found::Specimen => ("Specimen", "検体"),
            Found::Sheet => ("Specimen of a sheet", "シートの検体"),
            Found::Tube => ("Tube that nobody announced", "予定にないチューブ"),
            Found::OrderLine => ("Order line", "依頼"),
            Found::Participant => ("Participant", "参加者"),
            Found::Shipment => ("Shipment", "便"),
            Found::Run => ("Run", "実行"),
            Found::InstrumentRun => ("Instrument run", "ラン"),
            Found::Delivery => ("Delivery", "送達"),
            Found::Case => ("Withdrawal", "撤回案件"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }
}
