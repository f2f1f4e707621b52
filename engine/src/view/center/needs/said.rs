//! Why something needs a person, in one sentence, in both languages.

use kentai_workflows::diagnostic::Language;

use super::{About, Known, Need};
use crate::clock::Micros;
use crate::handoff::offer::FileStatus;
use crate::specimen::record::Delivery;
use crate::store::read::Reader;
use crate::store::rows::detail::{CheckReport, Detail, GateReport, Verdict};
use crate::translated;
use crate::view::center::access::Refused;
use crate::view::center::why;

impl Need {
    /// Why it needs a person. What is not known yet is read now: a few rows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn say(&self, reader: &Reader, now: Micros, language: Language) -> Result<String, Refused> {
        let (en, ja) = match &self.known {
            Known::Step(detail) => step(detail),
            Known::Case(listed, proposed, confirmed) => (
                format!("{listed} thing(s) to decide, {proposed} to confirm, {confirmed} to be done."),
                format!("未決定{listed}件、確認待ち{proposed}件、実施待ち{confirmed}件。"),
            ),
            Known::Deviation(said) => (said.clone(), translated::said(said, Language::Ja).into_owned()),
            Known::Delivery(doc, to) => delivery(doc, to),
            Known::Proposal(by, reason) => (format!("Proposed by {by}: {reason}"), format!("{by}の提案：{reason}")),
            Known::Nothing => return self.read(reader, now, language).await,
        };
        Ok(match language {
            Language::En => en,
            Language::Ja => ja,
        })
    }

    async fn read(&self, reader: &Reader, now: Micros, language: Language) -> Result<String, Refused> {
        match &self.about {
            About::OrderLine(id, _) => match reader.order_line(id).await? {
                Some(row) => Ok(why::reason(reader, &row, now).await?.sentence(language)),
                None => Ok(String::new()),
            },
            About::Run(id, _) => {
                let found = crate::view::run_reason(reader, id, language).await?.unwrap_or_default();
                Ok(translated::said(&found, language).into_owned())
            }
            _ => Ok(String::new()),
        }
    }
}

fn step(detail: &Detail) -> (String, String) {
    let Some(ask) = &detail.ask else { return (String::new(), String::new()) };
    if let (Some(gate), "qc") = (&detail.gate, ask.kind.as_str()) {
        return gate_said(gate);
    }
    let given: Vec<&str> = detail.answers.iter().map(|answer| answer.person.as_str()).collect();
    let missing = (ask.count as usize).saturating_sub(given.len()).max(1);
    let late = |language| {
        let reason = detail.reason.as_deref().map(|reason| translated::said(reason, language));
        reason.map(|reason| format!(" {reason}")).unwrap_or_default()
    };
    let text = |language| match ask.told(language) {
        "" => String::new(),
        told => format!("{told} "),
    };
    let ((text, text_ja), (late, late_ja)) =
        ((text(Language::En), text(Language::Ja)), (late(Language::En), late(Language::Ja)));
    match (ask.kind.as_str(), given.as_slice()) {
        ("approve", []) if missing > 1 => (
            format!("{text}{missing} people must say yes.{late}"),
            format!("{text_ja}{missing}人の承認が必要です。{late_ja}"),
        ),
        ("approve", []) => {
            (format!("{text}One person must say yes.{late}"), format!("{text_ja}1人の承認が必要です。{late_ja}"))
        }
        ("approve", given) => (
            format!("{text}{} said yes; {missing} more must.{late}", given.join(", ")),
            format!("{text_ja}{}が承認済み。あと{missing}人の承認が必要です。{late_ja}", given.join("、")),
        ),
        _ => (
            format!("{text}The workflow holds here until a person lets it go.{late}"),
            format!("{text_ja}ワークフローがここで止まり、再開の指示を待っています。{late_ja}"),
        ),
    }
}

/// `contamination 0.024, limit <= 0.020; the other 11 checks passed.`
fn gate_said(gate: &GateReport) -> (String, String) {
    let bad: Vec<&CheckReport> = gate.checks.iter().filter(|check| check.verdict > Verdict::Warn).collect();
    let passed = gate.checks.len() - bad.len();
    let one = |check: &&CheckReport, unmeasured: &str, limit: &str| match check.value {
        Some(value) => format!("{} {}{}, {limit} {}", check.metric, short(value), check.unit, check.pass),
        None => format!("{} {unmeasured}", check.metric),
    };
    let en: Vec<String> = bad.iter().map(|check| one(check, "is not measured", "limit")).collect();
    let ja: Vec<String> = bad.iter().map(|check| one(check, "は未測定", "基準")).collect();
    (
        format!("{}; the other {passed} check(s) passed.", en.join("; ")),
        format!("{}。ほかの{passed}項目は合格です。", ja.join("、")),
    )
}

fn short(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn delivery(doc: &Delivery, to: &str) -> (String, String) {
    let all = doc.payload().count();
    let of = |status: FileStatus| doc.payload().filter(move |(_, file)| file.status == status);
    let refused: Vec<&str> = of(FileStatus::Refused).map(|(_, file)| file.reason.as_str()).collect();
    if refused.is_empty() {
        let open = all - of(FileStatus::Accepted).count();
        return (
            format!("{to} has the files: {open} of {all} have no receipt."),
            format!("{to}へ引き渡し済み。{all}件中{open}件の受領確認がありません。"),
        );
    }
    let mut why: Vec<&str> = refused.clone();
    why.sort_unstable();
    why.dedup();
    (
        format!("{to} refused {} of {all} files: {}.", refused.len(), why.join(", ")),
        format!("{to}が{all}件中{}件を拒否。理由：{}。", refused.len(), why.join("、")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows::detail::{Answer, Ask};

    #[test]
    fn a_gate_says_what_missed_and_how_many_did_not() {
        let check = |metric: &str, verdict, value| CheckReport {
            metric: metric.into(),
            verdict,
            value,
            unit: String::new(),
            pass: "<= 0.02".into(),
            warn: None,
            items: Vec::new(),
            tracked: false,
        };
        let checks = vec![check("contamination", Verdict::Fail, Some(0.024)), check("dup", Verdict::Pass, Some(0.01))];
        let (en, ja) = gate_said(&GateReport { verdict: Verdict::Fail, checks });
        assert_eq!(en, "contamination 0.024, limit <= 0.02; the other 1 check(s) passed.");
        assert_eq!(ja, "contamination 0.024, 基準 <= 0.02。ほかの1項目は合格です。");
    }

    #[test]
    fn a_second_yes_is_asked_for_by_name_of_the_first() {
        let answer = Answer { person: "ops-03".into(), verdict: "approve".into(), reason: String::new(), at_us: 1 };
        let ask = Ask { kind: "approve".into(), roles: vec!["releaser".into()], count: 2, ..Ask::default() };
        let mut detail = Detail { ask: Some(ask), ..Detail::default() };
        assert_eq!(step(&detail).0, "2 people must say yes.");
        detail.answers.push(answer);
        assert_eq!(step(&detail).0, "ops-03 said yes; 1 more must.");
        assert_eq!(step(&detail).1, "ops-03が承認済み。あと1人の承認が必要です。");
    }
}
