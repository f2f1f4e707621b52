//! Why something of the center stands where it stands: one sentence with values, limit, owner and what is offered, in English and
//! Japanese. Pure: whoever asks brings the values.

use std::borrow::Cow;

use kentai_workflows::diagnostic::Language;
use schemars::JsonSchema;
use serde::Serialize;

use super::expectation::Owner;
use crate::clock::Micros;
use crate::translated;

/// A reason with its values.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "StageReason")]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// The tube has not come.
    WaitsForArrival {
        /// Shipment.
        shipment: String,
        /// When it left, if anybody said so.
        sent_us: Option<Micros>,
    },
    /// Identity and consent are to be looked at.
    WaitsForAccession,
    /// Consent does not allow it; the reason in words.
    NoConsent {
        /// Whose.
        pseudonym: String,
        /// `unknown`, `withdrawn`, `refused`, `expired`, or the state that lacks the use.
        consent: String,
        /// The use that is needed.
        wanted: String,
        /// The uses that are covered.
        covered: Vec<String>,
    },
    /// Somebody paused it.
    Held {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// When.
        since_us: Micros,
    },
    /// The whole site was stopped.
    SiteStopped {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The tube was not accepted.
    Rejected {
        /// What was wrong with it.
        condition: String,
    },
    /// The bench has it.
    WaitsForLab {
        /// What was asked for, if it was: `top_up`, `re_prep` …
        wish: Option<String>,
        /// Reads that are missing.
        reads_missing: u64,
    },
    /// An instrument has it.
    WaitsForInstrument,
    /// A new specimen was asked for.
    WaitsForMaterial {
        /// The clock stands since then.
        since_us: Micros,
    },
    /// Too little data.
    ReadsShort {
        /// That count.
        reads: u64,
        /// That are enough.
        needed: u64,
        /// That were ordered.
        ordered: u64,
    },
    /// The rest of the family is not ready.
    FamilyIncomplete {
        /// Who is missing.
        missing: Vec<String>,
    },
    /// Its run could not be made.
    NotStarted {
        /// In words.
        reason: String,
    },
    /// It may start, and nothing has started it yet.
    WaitsForEngine,
    /// Its assay has no workflow: data is handed on by people.
    NoWorkflow,
    /// Its run is under way.
    Runs {
        /// Run.
        run: String,
        /// What it waits for, in the run's own words.
        reason: String,
    },
    /// Its run failed.
    RunFailed {
        /// Run.
        run: String,
        /// In words.
        reason: String,
    },
    /// A gate holds its run.
    GateHolds {
        /// Run.
        run: String,
        /// The gate's own sentence, with metric, value and limit.
        reason: String,
    },
    /// A second pair of eyes is asked for.
    WaitsForReview {
        /// Run.
        run: String,
    },
    /// It may leave, and is on its way.
    WaitsForHandOff,
    /// The receiver may take it, or has it and has not said so.
    WaitsForReceiver {
        /// Since when.
        since_us: Micros,
        /// All bytes are there.
        delivered: bool,
    },
    /// The receiver refused it.
    RefusedByReceiver {
        /// Its reason.
        reason: String,
    },
    /// It was called back.
    Recalled {
        /// Why.
        reason: String,
    },
    /// Nothing is expected any more.
    Ended {
        /// How: the stage.
        how: String,
        /// Why.
        reason: String,
        /// Since when.
        since_us: Micros,
    },
}

impl Because {
    /// Who must act; none when nobody must.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        Some(match self {
            Self::WaitsForArrival { .. } | Self::WaitsForMaterial { .. } | Self::NoConsent { .. } => Owner::Institution,
            Self::WaitsForAccession | Self::Rejected { .. } => Owner::Reception,
            Self::Held { .. } | Self::SiteStopped { .. } | Self::NotStarted { .. } | Self::RunFailed { .. } => {
                Owner::Operator
            }
            Self::RefusedByReceiver { .. } | Self::Recalled { .. } | Self::NoWorkflow => Owner::Operator,
            Self::WaitsForLab { .. } => Owner::Lab,
            Self::WaitsForInstrument => Owner::Instrument,
            Self::GateHolds { .. } => Owner::Reviewer,
            Self::ReadsShort { .. } | Self::FamilyIncomplete { .. } => Owner::Lab,
            Self::WaitsForEngine | Self::Runs { .. } | Self::WaitsForHandOff => Owner::Engine,
            Self::WaitsForReview { .. } => Owner::Releaser,
            Self::WaitsForReceiver { .. } => Owner::DataCenter,
            Self::Ended { .. } => return None,
        })
    }

    /// What may be done about it, in both languages.
    #[must_use]
    pub fn offered(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::ReadsShort { .. } => &[
                ("top-up", "追加シーケンス"),
                ("release with reason", "理由付きで承認"),
                ("re-prep", "再調製"),
                ("re-extract", "再抽出"),
                ("new material", "再採取"),
                ("give up", "中止"),
            ],
            Self::GateHolds { .. } => &[
                ("release with reason", "理由付きで承認"),
                ("top-up", "追加シーケンス"),
                ("re-prep", "再調製"),
                ("re-extract", "再抽出"),
                ("new material", "再採取"),
                ("give up", "中止"),
            ],
            Self::Held { .. } => &[("resume", "再開")],
            Self::SiteStopped { .. } => &[("resume-all", "全体の再開")],
            Self::RunFailed { .. } => &[("retry", "再試行"), ("re-analysis", "再解析"), ("give up", "中止")],
            Self::Rejected { .. } => &[("new material", "再採取"), ("give up", "中止")],
            Self::FamilyIncomplete { .. } => &[("start as singleton", "単独で開始")],
            Self::WaitsForReview { .. } => &[("approve", "承認"), ("reject", "差し戻し")],
            Self::RefusedByReceiver { .. } => {
                &[("offer again", "再提供"), ("re-analysis", "再解析"), ("give up", "中止")]
            }
            Self::WaitsForAccession => &[("accession", "受入登録"), ("reject", "受入拒否")],
            Self::NoConsent { .. } => &[("record consent", "同意の記録"), ("cancel", "取消")],
            _ => &[],
        }
    }

    /// The sentence alone, where owner and choices stand beside it.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let (en, ja) = self.both();
        match language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// The sentence, with who must act and what is offered.
    #[must_use]
    pub fn say(&self, language: Language) -> String {
        let (en, ja) = self.both();
        let (mut text, english) = match language {
            Language::En => (en, true),
            Language::Ja => (ja, false),
        };
        if let Some(owner) = self.owner() {
            let (en, ja) = owner.words();
            text += &if english { format!("; owner: {en}") } else { format!("。担当: {ja}") };
        }
        let offered: Vec<&str> = self.offered().iter().map(|(en, ja)| if english { *en } else { *ja }).collect();
        if !offered.is_empty() {
            let list = offered.join(if english { ", " } else { "、" });
            text += &if english { format!("; offered: {list}") } else { format!("。選択肢: {list}") };
        }
        text
    }

    fn both(&self) -> (String, String) {
        let two = |en: String, ja: String| (en, ja);
        match self {
            Self::WaitsForArrival { shipment, sent_us: Some(sent) } => two(
                format!("waits for its arrival: shipment {shipment}, sent {}", day(*sent)),
                format!("到着待ち: 便 {shipment}({} 発送)", day(*sent)),
            ),
            Self::WaitsForArrival { shipment, sent_us: None } => {
                two(format!("waits for its arrival: shipment {shipment}"), format!("到着待ち: 便 {shipment}"))
            }
            Self::WaitsForAccession => two(
                "waits for its accession: identity and order are to be matched".into(),
                "受入登録待ち: 検体と依頼の照合が必要です".into(),
            ),
            Self::NoConsent { pseudonym, consent, wanted, covered } => no_consent(pseudonym, consent, wanted, covered),
            Self::Held { by, reason, since_us } => two(
                format!("held by {by} since {}: {reason}", day(*since_us)),
                format!("{by} が {} から保留中: {reason}", day(*since_us)),
            ),
            Self::SiteStopped { by, reason } => {
                two(format!("the site was stopped by {by}: {reason}"), format!("{by} がサイト全体を停止中: {reason}"))
            }
            Self::Rejected { condition } => {
                two(format!("was not accepted at reception: {condition}"), format!("受付で受入拒否: {condition}"))
            }
            Self::WaitsForLab { wish: Some(wish), reads_missing } if *reads_missing > 0 => two(
                format!(
                    "waits for the lab: {} asked for, {} are missing",
                    wish.replace('_', "-"),
                    reads(*reads_missing)
                ),
                format!("検査室待ち: {wish} を依頼済み、不足 {}", reads(*reads_missing)),
            ),
            Self::WaitsForLab { wish: Some(wish), .. } => two(
                format!("waits for the lab: {} asked for", wish.replace('_', "-")),
                format!("検査室待ち: {wish} を依頼済み"),
            ),
            Self::WaitsForLab { wish: None, .. } => two("waits for the lab".into(), "検査室の作業待ち".into()),
            Self::WaitsForInstrument => two("waits for the instrument".into(), "シーケンス中".into()),
            Self::WaitsForMaterial { since_us } => two(
                format!("waits for new material; the clock stands since {}", day(*since_us)),
                format!("再採取待ち({} から時計停止中)", day(*since_us)),
            ),
            Self::ReadsShort { reads: found, needed, ordered } => short(*found, *needed, *ordered),
            other => other.both_later(),
        }
    }

    fn both_later(&self) -> (String, String) {
        let two = |en: String, ja: String| (en, ja);
        match self {
            Self::FamilyIncomplete { missing } => {
                let who = missing.join(", ");
                two(format!("waits for its family: {who}"), format!("家族の検体待ち: {who}"))
            }
            Self::NotStarted { reason } => two(
                format!("its analysis could not be started: {reason}"),
                format!("解析を開始できません: {}", told(reason)),
            ),
            Self::WaitsForEngine => two("is ready and waits for its turn".into(), "準備完了、順番待ち".into()),
            Self::NoWorkflow => two(
                "is ready; its assay names no workflow, so nothing starts by itself".into(),
                "準備完了。検査項目にワークフローがないため自動では始まりません".into(),
            ),
            Self::Runs { run, reason } if reason.is_empty() => {
                two(format!("is being analyzed: run {run}"), format!("解析中: 実行 {run}"))
            }
            Self::Runs { run, reason } => {
                two(format!("is being analyzed: run {run}: {reason}"), format!("解析中: 実行 {run}: {}", told(reason)))
            }
            Self::RunFailed { run, reason } => {
                two(format!("run {run} failed: {reason}"), format!("実行 {run} が失敗: {}", told(reason)))
            }
            Self::GateHolds { run, reason } => {
                two(format!("a gate holds run {run}: {reason}"), format!("実行 {run} が判定で保留: {}", told(reason)))
            }
            Self::WaitsForReview { run } => {
                two(format!("waits for a second pair of eyes: run {run}"), format!("2 人目の確認待ち: 実行 {run}"))
            }
            Self::WaitsForHandOff => two("is released and being handed over".into(), "出荷承認済み、引き渡し中".into()),
            Self::WaitsForReceiver { since_us, delivered: true } => two(
                format!("waits for the receiver's receipt; delivered {}", day(*since_us)),
                format!("受領書待ち({} 送達)", day(*since_us)),
            ),
            Self::WaitsForReceiver { since_us, delivered: false } => two(
                format!("waits for the receiver; offered {}", day(*since_us)),
                format!("データセンターの受け取り待ち({} 提供)", day(*since_us)),
            ),
            Self::RefusedByReceiver { reason } => {
                two(format!("the receiver refused it: {reason}"), format!("受け取り拒否: {reason}"))
            }
            Self::Recalled { reason } => two(format!("was called back: {reason}"), format!("回収: {}", told(reason))),
            Self::Ended { how, reason, since_us } if reason.is_empty() => {
                two(format!("is {how} since {}", day(*since_us)), format!("{} に終了({how})", day(*since_us)))
            }
            Self::Ended { how, reason, since_us } => two(
                format!("is {how} since {}: {reason}", day(*since_us)),
                format!("{} に終了({how}): {reason}", day(*since_us)),
            ),
            // Said above: a reason that is new must be said somewhere.
            Self::WaitsForArrival { .. }
            | Self::WaitsForAccession
            | Self::NoConsent { .. }
            | Self::Held { .. }
            | Self::SiteStopped { .. }
            | Self::Rejected { .. }
            | Self::WaitsForLab { .. }
            | Self::WaitsForInstrument
            | Self::WaitsForMaterial { .. }
            | Self::ReadsShort { .. } => (String::new(), String::new()),
        }
    }
}

fn no_consent(pseudonym: &str, consent: &str, wanted: &str, covered: &[String]) -> (String, String) {
    match consent {
        "unknown" => (
            format!("no consent is recorded for {pseudonym}; it needs `{wanted}`"),
            format!("{pseudonym} の同意が記録されていません(必要な利用: {wanted})"),
        ),
        "given" | "partial" => (
            format!("the consent of {pseudonym} covers {}, not `{wanted}`", covered.join(", ")),
            format!("{pseudonym} の同意は {} のみで、{wanted} を含みません", covered.join("、")),
        ),
        other => (format!("the consent of {pseudonym} is {other}"), format!("{pseudonym} の同意は {other} です")),
    }
}

/// `waits for reads: 594.6 M of 600.0 M ordered (0.9 % short)`
fn short(found: u64, needed: u64, ordered: u64) -> (String, String) {
    #[expect(clippy::cast_precision_loss, reason = "reads, for people")]
    let gap = if needed == 0 { 0.0 } else { (1.0 - found as f64 / needed as f64) * 100.0 };
    let of = if needed == ordered {
        (format!("{} ordered", reads(ordered)), format!("依頼 {}", reads(ordered)))
    } else {
        (
            format!("{} needed ({} ordered)", reads(needed), reads(ordered)),
            format!("必要 {}(依頼 {})", reads(needed), reads(ordered)),
        )
    };
    (
        format!("waits for reads: {} of {} ({gap:.1} % short)", reads(found), of.0),
        format!("リード不足: {} / {}({gap:.1} % 不足)", reads(found), of.1),
    )
}

/// `594.6 M`
#[expect(clippy::cast_precision_loss, reason = "reads, for people")]
fn reads(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        1_000_000..10_000_000_000 => format!("{:.1} M", count as f64 / 1e6),
        _ => format!("{:.1} G", count as f64 / 1e9),
    }
}

fn day(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// What the engine said of it, in Japanese; what people wrote stays as it is.
fn told(reason: &str) -> Cow<'_, str> {
    translated::said(reason, Language::Ja)
}

#[cfg(test)]
mod tests;
