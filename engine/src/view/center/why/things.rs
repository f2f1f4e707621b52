//! `why` for what is no order line: shipments, withdrawal cases, notices, instrument runs, barcodes; and what somebody from outside is told.

use kentai_workflows::diagnostic::Language;

use super::{WhyView, plain};
use crate::people::permission::{Action, Principal};
use crate::scheduler::center::why::{BARCODE, ITEM, barcode_name};
use crate::specimen::record::{self, Kind, LetterState};
use crate::state::{case_item, instrument_run, notice, parcel, shipment_item, withdrawal};
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows::center::{OrderLine, Record};
use crate::view::center::access::{Refused, missing, see};
use crate::view::center::notice::may_see;
use crate::view::{document, time};

/// Institutions whose barcodes are looked through.
const INSTITUTIONS_MAX: i64 = 10_000;

fn two(language: Language, en: String, ja: String) -> String {
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}

/// A shipment, a case, an instrument run or a notice. None: it is none of them.
pub(super) async fn thing(
    reader: &Reader,
    who: &Principal,
    id: &str,
    language: Language,
) -> Result<Option<WhyView>, Refused> {
    if let Some(row) = reader.record(Kind::Shipment.word(), id).await? {
        see(who, &[Action::ReadSpecimen], Some(&row.owner), missing("shipment", id))?;
        return Ok(Some(of_shipment(reader, row, language).await?));
    }
    if let Some(row) = reader.record(Kind::Case.word(), id).await? {
        let officers = [Action::ReadWithdrawn, Action::WithdrawalDecide, Action::ReadAudit];
        see(who, &officers, Some(""), missing("case", id))?;
        return Ok(Some(of_case(reader, row, language).await?));
    }
    if let Some(row) = reader.record(Kind::InstrumentRun.word(), id).await? {
        see(who, &[Action::ReadSite], Some(""), missing("instrument_run", id))?;
        return Ok(Some(of_instrument_run(row, language)));
    }
    if let Some(row) = reader.record(Kind::Notice.word(), id).await? {
        // One that they may not see is no thing at all, as one that is not there.
        match may_see(who, Some(&row), id) {
            Ok(()) => return Ok(Some(of_notice(&row, language)?)),
            Err(Refused::NotFound(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}

fn of_notice(row: &Record, language: Language) -> Result<WhyView, Refused> {
    let doc: record::Notice = document("a notice", &row.document)?;
    let id = &row.record_id;
    let find = |state| doc.letters.iter().find(|letter| letter.state == state);
    let (dead, due) = (find(LetterState::Dead), find(LetterState::Due));
    let to = &doc.to;
    let waits = doc.answer.then(|| time(doc.due_us));
    let said = match (notice::Status::parse(&row.status), dead, due) {
        (Some(notice::Status::Undelivered), Some(letter), _) => {
            let (address, why) = (&letter.address, &letter.said);
            two(
                language,
                format!("did not reach {address}: {why}; offered: `kentai notice again {id}`"),
                format!("{address} に届きませんでした: {why}。選択肢: `kentai notice again {id}`"),
            )
        }
        (Some(notice::Status::Pending | notice::Status::Sending | notice::Status::Undelivered), _, Some(letter)) => {
            let (address, tries, next) = (&letter.address, letter.tries, time(letter.next_us));
            let (en, ja) = match letter.said.as_str() {
                "" => (String::new(), String::new()),
                why => (format!(" ({why})"), format!("（{why}）")),
            };
            two(
                language,
                format!("is on its way to {address}: tried {tries} time(s){en}, next at {next}; owner: engine"),
                format!("{address} へ送信中: 試行 {tries} 回{ja}、次回 {next}。担当: エンジン"),
            )
        }
        (Some(notice::Status::Answered), ..) => {
            two(language, format!("{to} answered: {}", doc.receipt), format!("「{to}」が回答済み: {}", doc.receipt))
        }
        (Some(notice::Status::CalledBack), ..) => two(
            language,
            "what it spoke of was called back, and the letters that still waited were not sent".into(),
            "対象が回収されたため、未送信の通知は送られません".into(),
        ),
        _ => match waits {
            Some(due) => two(
                language,
                format!("waits for the answer of {to} until {due}"),
                format!("「{to}」の回答待ち、期限 {due}"),
            ),
            None => two(language, format!("left for {to}"), format!("「{to}」へ発信済み")),
        },
    };
    Ok(plain(format!("notice {id}"), row.status.clone(), said))
}

async fn of_shipment(reader: &Reader, row: Record, language: Language) -> Result<WhyView, Refused> {
    let items = reader.records_of(Kind::Item.word(), &row.record_id).await?;
    let count = |status: shipment_item::Status| items.iter().filter(|item| item.status == status.word()).count();
    let (all, expected, absent) =
        (items.len(), count(shipment_item::Status::Expected), count(shipment_item::Status::Missing));
    let seen = all - expected - absent;
    let (owner, said) = match parcel::Status::parse(&row.status) {
        Some(parcel::Status::Sent) => (
            "institution",
            two(
                language,
                format!("waits for its arrival: {all} tube(s) announced; owner: institution"),
                format!("到着待ち: 予定 {all} 本。担当: 依頼施設"),
            ),
        ),
        Some(parcel::Status::Received) if expected > 0 => (
            "reception",
            two(
                language,
                format!("{seen} of {all} tube(s) scanned; owner: reception; offered: scan, close the shipment"),
                format!("{all} 本中 {seen} 本を照合済み。担当: 受付。選択肢: 照合、便の締め"),
            ),
        ),
        Some(parcel::Status::Received) => (
            "reception",
            two(
                language,
                format!("all {all} tube(s) scanned; owner: reception; offered: close the shipment"),
                format!("全 {all} 本を照合済み。担当: 受付。選択肢: 便の締め"),
            ),
        ),
        Some(parcel::Status::Incomplete) if absent > 0 => (
            "institution",
            two(
                language,
                format!("{absent} of {all} tube(s) missing; owner: institution; offered: scan when they come"),
                format!("{all} 本中 {absent} 本が未着。担当: 依頼施設。選択肢: 到着時に照合"),
            ),
        ),
        Some(parcel::Status::Incomplete | parcel::Status::Complete) | None => {
            ("", two(language, format!("all {all} tube(s) are here"), format!("全 {all} 本が到着")))
        }
    };
    let mut view = plain(format!("shipment {}", row.record_id), row.status, said);
    view.owner = (!owner.is_empty()).then(|| owner.to_owned());
    Ok(view)
}

async fn of_case(reader: &Reader, row: Record, language: Language) -> Result<WhyView, Refused> {
    let items = reader.records_of(Kind::CaseItem.word(), &row.record_id).await?;
    let notices = reader.records_of(Kind::Notice.word(), &row.record_id).await?;
    let count = |status: case_item::Status| items.iter().filter(|item| item.status == status.word()).count();
    let (listed, proposed) = (count(case_item::Status::Listed), count(case_item::Status::Proposed));
    let undone = count(case_item::Status::Confirmed);
    let silent = notices.iter().filter(|notice| notice.status != "answered").count();
    let case: record::Case = serde_json::from_str(&row.document).unwrap_or_default();
    let said = match withdrawal::Status::parse(&row.status) {
        Some(withdrawal::Status::Closed) => two(language, "is closed".into(), "終了".into()),
        Some(withdrawal::Status::Sealed | withdrawal::Status::Notified) => two(
            language,
            format!(
                "waits for people: {listed} thing(s) to decide, {proposed} to confirm, {undone} to be done, {silent} notice(s) \
                 unanswered; owner: withdrawal officer"
            ),
            format!(
                "対応待ち: 未決定 {listed}、確認待ち {proposed}、実施待ち {undone}、未回答の通知 {silent}。担当: 撤回責任者"
            ),
        ),
        _ => two(
            language,
            format!("is being closed: {} run(s) end, then its outputs are sealed; owner: engine", case.runs.len()),
            format!("停止処理中: 実行 {} 件の終了後に成果物を封印。担当: エンジン", case.runs.len()),
        ),
    };
    Ok(plain(format!("case {}", row.record_id), row.status, said))
}

fn of_instrument_run(row: Record, language: Language) -> WhyView {
    let doc: record::InstrumentRun = serde_json::from_str(&row.document).unwrap_or_default();
    let said = match instrument_run::Status::parse(&row.status) {
        Some(instrument_run::Status::Seen | instrument_run::Status::Settling) => two(
            language,
            format!("waits until it is whole: {}; owner: instrument", doc.waits),
            format!("完了待ち: {}。担当: 装置", doc.waits),
        ),
        Some(instrument_run::Status::Failed | instrument_run::Status::StoppedEarly) => two(
            language,
            format!("ended badly: {}; owner: operator", doc.waits),
            format!("異常終了: {}。担当: オペレーター", doc.waits),
        ),
        Some(instrument_run::Status::Changed) => two(
            language,
            "changed after it was complete: see its deviation; owner: operator".into(),
            "完了後に変更あり。逸脱を確認。担当: オペレーター".into(),
        ),
        _ if !doc.unknown.is_empty() => two(
            language,
            format!("is taken in; no specimen is known for: {}; owner: lab", doc.unknown.join(", ")),
            format!("取り込み済み。検体不明: {}。担当: 検査室", doc.unknown.join("、")),
        ),
        _ => two(language, "is taken in".into(), "取り込み済み".into()),
    };
    plain(format!("instrument run {}", row.record_id), row.status, said)
}

/// What a barcode stands for: specimens, or tubes that nobody announced. Several institutions may have the same one.
pub(in crate::view::center) async fn barcode(
    reader: &Reader,
    who: &Principal,
    text: &str,
) -> Result<(Vec<String>, Vec<Record>), Refused> {
    let (mut specimens, mut extra) = (Vec::new(), Vec::new());
    let institutions = match &who.institution {
        Some(mine) => vec![mine.clone()],
        None => {
            let kind = Kind::Institution.word().into();
            let filter = RecordFilter { kind, limit: INSTITUTIONS_MAX, ..RecordFilter::default() };
            let all = reader.records(&filter).await?.into_iter().map(|row| row.record_id);
            // What nobody announced may have been scanned without saying whose it is.
            all.chain([String::new()]).collect()
        }
    };
    for institution in institutions {
        let name = barcode_name(&institution, text);
        if let Some(id) = reader.named(BARCODE, &name).await? {
            specimens.push(id);
        } else if let Some(id) = reader.named(ITEM, &name).await? {
            extra.extend(reader.record(Kind::Item.word(), &id).await?);
        }
    }
    Ok((specimens, extra))
}

/// A tube that is here and that nobody announced.
pub(super) fn of_extra(row: &Record, language: Language) -> WhyView {
    let doc: record::Item = serde_json::from_str(&row.document).unwrap_or_default();
    let said = two(
        language,
        "nobody announced it: it waits for its manifest and its order; owner: institution".into(),
        "予定にない検体です。送付表と依頼を待っています。担当: 依頼施設".into(),
    );
    plain(format!("tube {}", doc.barcode), row.status.clone(), said)
}

/// What somebody of an institution is told of their own: the coarse state, and nothing of what goes wrong inside.
pub(super) fn outside(row: &OrderLine, public: &str, language: Language) -> WhyView {
    let said = match public {
        "expected" => two(language, "has not arrived yet".into(), "未着です".into()),
        "needs_new_specimen" => two(
            language,
            "needs a new specimen; owner: institution".into(),
            "新しい検体が必要です。担当: 依頼施設".into(),
        ),
        "delivered" => two(language, "is delivered".into(), "納品済みです".into()),
        "withdrawn" => two(language, "consent was withdrawn".into(), "同意は撤回されました".into()),
        "closed" => {
            two(language, "is closed; see the report to you".into(), "終了しました。報告書をご確認ください".into())
        }
        _ => two(language, "is at the center".into(), "センターで処理中です".into()),
    };
    plain(format!("order_line {}", row.order_line_id), public.to_owned(), said)
}
