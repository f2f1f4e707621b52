//! What the chapters before the analysis say, and what is said beside the stage in any of them: holds, custody, consent, deviations.

use kentai_engine::specimen::barcode::normalized;
use kentai_engine::specimen::record;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::story::Chapter;
use kentai_engine::view::center::{HistoryView, RecordView};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entry::{Said, Spelling, Teller, Told};
use super::gates::of_reads;
use super::text::{Text, path};
use super::words::word;
use super::work::several;

/// A document of ours; one of a later version says nothing.
pub(super) fn document<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// What the event says that opened the chapter.
pub(super) fn body(chapter: &Chapter) -> &Value {
    chapter.opened().map_or(&Value::Null, |event| &event.body)
}

pub(super) fn told(teller: &Teller<'_>, chapter: &Chapter) -> Told {
    let mut told = Told::default();
    match chapter.stage() {
        Some(Stage::Expected) => expected(teller, &mut told),
        Some(Stage::Received | Stage::Rejected) => received(teller, chapter, &mut told),
        Some(Stage::Accessioned) => accessioned(teller, &mut told),
        Some(Stage::InLab) => in_lab(teller, chapter, &mut told),
        Some(Stage::Sequencing | Stage::Sequenced) => lanes(teller, chapter, &mut told),
        Some(Stage::SequenceQcFailed) => short(teller, chapter, &mut told),
        Some(Stage::AwaitingTopUp | Stage::AwaitingMaterial) => waited(teller, chapter, &mut told),
        Some(Stage::Ready) => ready(teller, chapter, &mut told),
        _ => {}
    }
    if told.paragraphs.is_empty() && told.checks.is_empty() {
        let reason = text(body(chapter), "reason");
        if !reason.is_empty() {
            told.says(Text::new(&teller.say.engine(reason)));
        }
    }
    told
}

fn item(teller: &Teller<'_>) -> Option<(RecordView, record::Item)> {
    let found = teller.story.known.records.iter().find(|one| one.kind == "item")?;
    Some((found.clone(), document(&found.document)))
}

fn expected(teller: &Teller<'_>, told: &mut Told) {
    let (say, story) = (teller.say, teller.story);
    let Some((item, _)) = item(teller) else { return };
    let shipment = path(&["shipments", &item.parent]);
    let sender = story.sender.as_str();
    let tubes = say.count(story.tubes);
    let mut line = match teller.say.pick(true, false) {
        true => Text::new("In shipment ")
            .link(&shipment, &item.parent)
            .text(&format!(" from {sender}, {}.", several(usize::try_from(story.tubes).unwrap_or(0), "tube"))),
        false => {
            Text::new(&format!("{sender}からの便 ")).link(&shipment, &item.parent).text(&format!("（{tubes}本）。"))
        }
    };
    if let Some(participant) = &story.known.participant {
        let href = path(&["participants", &participant.program, &participant.pseudonym]);
        line = line.text(say.pick(" Participant ", "参加者 ")).link(&href, &participant.pseudonym);
        let (family, role) = (text(&participant.document, "family"), text(&participant.document, "family_role"));
        if !family.is_empty() {
            let role = word(role, say.language);
            line = line.text(&say.pick(format!(", {role} of family {family}"), format!("（家族 {family}、{role}）")));
        }
        line = line.text(say.pick(".", "。"));
    }
    told.says(line);
    let requisition = story.line.as_ref().map(|line| text(&line.document, "requisition")).unwrap_or_default();
    if !requisition.is_empty() {
        told.says(Text::new(say.pick("Requisition ", "依頼番号 ")).code(requisition));
    }
}

fn received(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let (say, words) = (teller.say, teller.words);
    let specimen: record::Specimen = document(&teller.story.known.specimen.document);
    let Some((_, item)) = item(teller) else { return };
    let kind = word(&specimen.specimen_type, say.language);
    let parts: Vec<String> = [kind, specimen.amount.clone()].into_iter().filter(|part| !part.is_empty()).collect();
    let mut line = parts.join(say.pick(", ", "、"));
    if !item.condition.is_empty() {
        let condition = word(&item.condition, say.language);
        line += &say.pick(format!("; condition {condition}."), format!("、状態：{condition}。"));
    }
    told.says(Text::new(line.trim_start_matches(['、', ';', ' '])));
    if !item.disposition.is_empty() {
        let what = word(&item.disposition, say.language);
        told.says(Text::new(&say.pick(format!("What becomes of it: {what}."), format!("取り扱い：{what}。"))));
    }
    if !item.note.is_empty() {
        told.said.push(Said {
            // Who of the center it was is the center's own.
            who: if teller.inside() { item.received_by.clone() } else { String::new() },
            what: String::new(),
            reason: item.note.clone(),
            after: String::new(),
        });
    }
    if chapter.stage() != Some(Stage::Received) {
        return;
    }
    let scanned = if item.scanned.is_empty() { &item.barcode } else { &item.scanned };
    let differs = scanned != &item.barcode;
    told.spellings = vec![
        Spelling { label: words.on_tube, code: scanned.clone(), note: "" },
        Spelling { label: words.in_manifest, code: item.barcode.clone(), note: "" },
        Spelling {
            label: words.matched_as,
            code: normalized(&item.barcode),
            note: if differs { words.spelled } else { "" },
        },
    ];
}

fn accessioned(teller: &Teller<'_>, told: &mut Told) {
    let (say, story) = (teller.say, teller.story);
    let Some(line) = &story.line else { return };
    let assay = line.assay.as_str();
    let ordered = line.document["reads_ordered"].as_u64().filter(|reads| *reads > 0).map(|reads| say.reads(reads));
    let due = say.date(&line.due);
    let count = story.known.order_lines.len();
    let (lines, named) = (say.count(i64::try_from(count).unwrap_or(0)), several(count, "order line"));
    let (en, ja) = match ordered {
        Some(reads) => (
            format!("{named}: {assay}, {reads} reads, due {due}."),
            format!("依頼{lines}件：{assay}、{reads}リード、期限{due}。"),
        ),
        None => (format!("{named}: {assay}, due {due}."), format!("依頼{lines}件：{assay}、期限{due}。")),
    };
    let mut text = Text::new(&say.pick(en, ja));
    if let Some(consent) = story.consents.iter().rfind(|consent| matches!(consent.status.as_str(), "given" | "partial"))
    {
        let doc: record::Consent = document(&consent.document);
        let (form, version) = (&doc.document, &doc.document_version);
        text = text.text(&say.pick(
            format!(" Consent {form}, version {version}, was recorded on {}.", say.date(&consent.created)),
            format!("同意書 {form}（第{version}版）は{}に記録。", say.date(&consent.created)),
        ));
    }
    told.says(text);
}

fn in_lab(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    for library in teller.story.known.records.iter().filter(|one| one.kind == "library") {
        let until = chapter.until.as_deref().unwrap_or("9");
        if library.created.as_str() < chapter.at.as_str() || library.created.as_str() >= until {
            continue;
        }
        let doc: record::Library = document(&library.document);
        let rest = [doc.kit, doc.index, doc.prepared_by].into_iter().filter(|part| !part.is_empty());
        let rest: String = rest.map(|part| format!("{}{part}", say.pick(", ", "、"))).collect();
        told.says(Text::new(
            &say.pick(format!("Library {}{rest}.", library.id), format!("ライブラリー {}{rest}。", library.id)),
        ));
    }
    if told.paragraphs.is_empty() {
        told.says(Text::new(say.pick("The bench has it.", "ラボで作業を開始。")));
    }
}

/// Data that came in the chapter, one line for each instrument run.
fn lanes(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    let mut runs: Vec<(String, Vec<u32>, u64)> = Vec::new();
    for event in chapter.events.iter().filter(|event| event.kind == "lane_arrived") {
        let lane: record::LaneLibrary = document(&event.body["document"]);
        let run = event.of.trim_start_matches("lane_library:").split('/').next().unwrap_or_default().to_owned();
        match runs.iter_mut().find(|(known, ..)| *known == run) {
            Some((_, lanes, reads)) => {
                lanes.push(lane.lane);
                *reads += lane.reads;
            }
            None => runs.push((run, vec![lane.lane], lane.reads)),
        }
    }
    for (run, mut lanes, reads) in runs {
        lanes.sort_unstable();
        let list: Vec<String> = lanes.iter().map(ToString::to_string).collect();
        let (list, reads) = (list.join(say.pick(", ", "、")), say.reads(reads));
        let href = path(&["instrument-runs", &run]);
        told.says(match say.pick(true, false) {
            true => {
                let lane = if lanes.len() == 1 { "Lane" } else { "Lanes" };
                Text::new(&format!("{lane} {list} of run ")).link(&href, &run).text(&format!(": {reads} reads."))
            }
            false => Text::new("ラン ").link(&href, &run).text(&format!(" のレーン{list}：{reads}リード。")),
        });
    }
    counted(teller, chapter, told);
    if told.paragraphs.is_empty() && chapter.stage() == Some(Stage::Sequencing) {
        told.says(Text::new(say.pick("An instrument has it.", "装置でシーケンスを開始。")));
    }
}

/// Reads so far, when they are told and enough.
fn counted(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    let body = chapter.events.iter().rev().find(|event| !event.body["reads"].is_null()).map(|event| &event.body);
    let Some(body) = body else { return };
    let (Some(reads), Some(needed)) = (body["reads"].as_u64(), body["needed"].as_u64()) else { return };
    let (reads, needed) = (say.reads(reads), say.reads(needed));
    if needed != "0" {
        told.says(Text::new(&say.pick(format!("{reads} of {needed} needed."), format!("必要{needed}に対し{reads}。"))));
    }
}

fn short(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let body = body(chapter);
    if let (Some(reads), Some(needed)) = (body["reads"].as_u64(), body["needed"].as_u64()) {
        lanes(teller, chapter, told);
        told.paragraphs.pop();
        told.checks.push(of_reads(reads, needed, teller.say));
    }
}

fn waited(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    told.note = lasted(teller, chapter);
    let wish = chapter.events.iter().find(|event| event.kind == "work_requested");
    let wish: record::WorkRequest = wish.map(|event| document(&event.body["document"])).unwrap_or_default();
    if chapter.stage() == Some(Stage::AwaitingMaterial) {
        told.says(Text::new(say.pick(
            "Waited for a new specimen from the sender; the clock stands meanwhile.",
            "依頼施設の再採取待ち。この間は日数に数えません。",
        )));
    } else if wish.reads_missing > 0 {
        let missing = say.reads(wish.reads_missing);
        told.says(Text::new(&say.pick(
            format!("Waited for {missing} more reads; owner: lab."),
            format!("追加{missing}リード待ち。担当：ラボ。"),
        )));
    }
}

/// `6 d 15 h`
pub(super) fn lasted(teller: &Teller<'_>, chapter: &Chapter) -> String {
    let from = teller.say.seconds_since(&chapter.at).unwrap_or(0);
    let to = chapter.until.as_deref().and_then(|until| teller.say.seconds_since(until)).unwrap_or(0);
    teller.say.duration(from - to)
}

fn ready(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    if chapter.event == "sequence_qc_waived" {
        told.says(Text::new(say.pick("The shortfall was let pass.", "不足のまま通す判断により先へ進む。")));
    } else {
        told.says(Text::new(say.pick("Enough data; it may be analyzed.", "必要なデータがそろい、解析可能。")));
    }
    counted(teller, chapter, told);
}

/// What is said beside the stage, in any chapter.
pub(super) fn asides(teller: &Teller<'_>, chapter: &Chapter, told: &mut Told) {
    let say = teller.say;
    for event in &chapter.events {
        let (body, who) = (&event.body, event.actor.clone());
        let reason = text(body, "reason").to_owned();
        let said = |what: &str| {
            Some(Said { who: who.clone(), what: what.to_owned(), reason: reason.clone(), after: when(teller, event) })
        };
        let aside = match event.kind.as_str() {
            "held" => said(say.pick("held it", "保留")),
            "resumed" => said(say.pick("let it go on", "再開")),
            "family_not_awaited" => said(say.pick("decided not to wait for the family", "家族を待たずに開始")),
            "criteria_waived" => {
                said(say.pick("let missed or missing values pass", "基準外または未測定の値を通す判断"))
            }
            "reopened" | "reopened_received" | "reopened_expected" => {
                said(say.pick("opened it again", "再開（終了後）"))
            }
            "quality_decided" => decision(teller, body),
            "analysis_not_started" => {
                told.says(Text::new(&say.pick(format!("Not started: {reason}"), format!("開始できず：{reason}"))));
                None
            }
            "deviation_opened" | "deviation" => {
                let doc: record::Deviation = document(&body["document"]);
                told.says(Text::new(&say.pick("Deviation, ".to_owned(), "逸脱・".to_owned())).text(&format!(
                    "{}: {}",
                    doc.severity,
                    say.engine(&doc.description)
                )));
                None
            }
            "custody_moved" => {
                custody(teller, body, told);
                None
            }
            _ => None,
        };
        told.said.extend(aside);
    }
    if let Some(code) = told_code(chapter) {
        told.margin.push(Text::new(say.pick("reason ", "理由コード ")).code(&code).done());
    }
}

fn told_code(chapter: &Chapter) -> Option<String> {
    let decided = chapter.said("quality_decided")?;
    Some(text(&decided.body["document"], "code").to_owned()).filter(|code| !code.is_empty())
}

fn decision(teller: &Teller<'_>, body: &Value) -> Option<Said> {
    let doc: record::Decision = document(&body["document"]);
    let say = teller.say;
    let way = word(&doc.way, say.language);
    Some(Said {
        who: doc.person,
        what: say.pick(format!("decided: {way}"), format!("判断：{way}")),
        reason: doc.reason,
        after: String::new(),
    })
}

fn when(teller: &Teller<'_>, event: &HistoryView) -> String {
    teller.say.date_time(&event.at)
}

fn custody(teller: &Teller<'_>, body: &Value, told: &mut Told) {
    let say = teller.say;
    let now = text(body, "now");
    let doc: record::Custody = document(&body["document"]);
    // The first is no move: it is here.
    if now.is_empty() || doc == record::Custody::default() {
        return;
    }
    let (place, holder) = (word(now, say.language), doc.holder);
    let rest = [holder, doc.transfer, doc.accession, doc.receipt].into_iter().filter(|part| !part.is_empty());
    let rest: String = rest.map(|part| format!("{}{part}", say.pick(", ", "、"))).collect();
    told.says(Text::new(&say.pick(format!("Leftover: {place}{rest}."), format!("残余検体：{place}{rest}。"))));
}
