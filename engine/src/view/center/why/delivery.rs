//! Why a delivery stands where it stands: what its receiver did with it, what is waited for, and who must act.

use kentai_workflows::diagnostic::Language;

use super::{WhyView, plain};
use crate::clock::Micros;
use crate::handoff::offer::FileStatus;
use crate::specimen::record::Delivery;
use crate::state::delivery::Status;
use crate::store::rows::center::Record;
use crate::view::{document, time};

/// A delivery at its receiver.
///
/// # Errors
/// When its record cannot be read.
pub(super) fn at_receiver(record: &Record, now: Micros, language: Language) -> Result<WhyView, crate::store::Error> {
    let doc: Delivery = document("a delivery", &record.document)?;
    let (to, status) = (&record.owner, Status::parse(&record.status));
    let all = doc.payload().count();
    let of = |status: FileStatus| doc.payload().filter(move |(_, file)| file.status == status);
    let sent = doc.payload().filter(|(path, _)| doc.sent.contains(*path)).count();
    let why = |status: FileStatus| {
        let said = of(status).map(|(path, file)| format!("{path}: {}", file.reason));
        said.collect::<Vec<_>>().join(", ")
    };
    let accepted = of(FileStatus::Accepted).count();
    let reason = if doc.reason.is_empty() { String::new() } else { format!(": {}", doc.reason) };
    let (owner, en, ja) = match status {
        Some(Status::Offered) => (Some(to), format!("waits for {to} to fetch it"), format!("{to} の取得待ち")),
        Some(Status::Pulling) => (
            Some(to),
            format!("{to} is fetching it: {sent} of {all} files were sent whole"),
            format!("{to} が取得中: {all} 件中 {sent} 件を送信済み"),
        ),
        Some(Status::Delivered) => {
            (Some(to), format!("is at {to}, and waits for their receipt"), format!("{to} に到着、受領確認待ち"))
        }
        Some(Status::PartlyAcknowledged) => (
            Some(to),
            format!("{to} acknowledged {accepted} of {all} files, and the rest is waited for"),
            format!("{to} は {all} 件中 {accepted} 件を受領、残りを待機"),
        ),
        Some(Status::Refused) => {
            let refused = why(FileStatus::Refused);
            (None, format!("{to} refused some of it: {refused}"), format!("{to} が一部を拒否: {refused}"))
        }
        Some(Status::Acknowledged) => {
            (None, format!("{to} acknowledged every file"), format!("{to} が全ファイルを受領"))
        }
        Some(Status::Expired) => (None, format!("its time is over{reason}"), format!("提供期間が終了{reason}")),
        Some(Status::Superseded) => (None, "a newer delivery took its place".into(), "新しい引き渡しに置換".into()),
        Some(Status::Recalled) => (None, format!("it was called back{reason}"), format!("回収済み{reason}")),
        Some(Status::Retired) => (
            None,
            format!("{to} has every file, and the copies here are gone"),
            format!("{to} が全ファイルを保有、当所の複製は消去済み"),
        ),
        None => (None, record.status.clone(), record.status.clone()),
    };
    let mut said = match language {
        Language::En => en,
        Language::Ja => ja,
    };
    let mismatched = why(FileStatus::Mismatch);
    if !mismatched.is_empty() {
        said.push_str(&match language {
            Language::En => format!("; they have other bytes than were sent: {mismatched}"),
            Language::Ja => format!("、送信と異なるデータ: {mismatched}"),
        });
    }
    let waits = owner.is_some();
    let due = doc.receipt_due_us.filter(|_| waits);
    if let Some(late) = due.filter(|due| *due < now) {
        said.push_str(&late_words(&doc, to, late, language));
    }
    let can = |word: &'static str, can: bool| can.then(|| word.to_owned());
    let open = status.is_some_and(Status::is_open);
    Ok(WhyView {
        owner: owner.cloned().or_else(|| (status == Some(Status::Refused)).then(|| "operator".into())),
        offered: [
            can("recall", open || status == Some(Status::Retired)),
            can("reoffer", waits || !open && !matches!(status, Some(Status::Recalled | Status::Retired))),
        ]
        .into_iter()
        .flatten()
        .collect(),
        due: due.map(time),
        stuck: due.is_some_and(|due| due < now),
        ..plain(format!("delivery {} to {to}", record.record_id), record.status.clone(), said)
    })
}

/// Since when the receipt is late, and what was done about it.
fn late_words(doc: &Delivery, to: &str, due: Micros, language: Language) -> String {
    let (due, told) = (time(due), doc.late_us.map(time));
    match language {
        Language::En => {
            let told = told.map_or_else(String::new, |at| format!(", {to} was told at {at}"));
            format!("; the receipt is late since {due}{told}")
        }
        Language::Ja => {
            let told = told.map_or_else(String::new, |at| format!("、{at} に {to} へ通知済み"));
            format!("、受領確認は {due} から遅延{told}")
        }
    }
}
