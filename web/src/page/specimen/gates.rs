//! Values against limits, as rows of a table with their strip: of a run's gate, of the assay's criteria, and the reads of an order line.

use askama::filters::Safe;
use kentai_engine::qc::criteria::{Behavior, Comparator};
use kentai_engine::qc::metric::find;
use kentai_engine::qc::verdict::{Check, Evaluation, Verdict};
use kentai_engine::store::rows::detail::{CheckReport, Verdict as GateVerdict};
use kentai_workflows::diagnostic::Language;

use super::super::chart::gate::{Gate, Side, strip};
use super::super::markup::Markup;
use super::super::say::Say;
use super::super::shape::{Shape, State};

/// Between a value and its unit.
const NBSP: char = '\u{a0}';
/// Checks that are shown of one gate; the rest is the run's.
const ROWS_MAX: usize = 60;

/// One line of a table of checks.
pub(super) struct CheckRow {
    pub(super) name: String,
    pub(super) metric: String,
    pub(super) value: String,
    pub(super) limit: String,
    pub(super) strip: Markup,
    pub(super) state: State,
    pub(super) verdict: Verdict,
}

/// A table of checks.
pub(super) struct Checks {
    /// What judged: a step, a set of criteria.
    pub(super) by: String,
    pub(super) rows: Vec<CheckRow>,
    pub(super) notes: Vec<String>,
}

impl Checks {
    /// The worst of them.
    pub(super) fn worst(&self) -> Option<Verdict> {
        let rank = |verdict: &Verdict| Verdict::ALL.iter().position(|other| other == verdict);
        self.rows.iter().map(|row| row.verdict).max_by_key(rank)
    }
}

/// Word and shape of a verdict.
pub(super) fn state(verdict: Verdict, language: Language) -> State {
    let pick = |en, ja| match language {
        Language::En => en,
        Language::Ja => ja,
    };
    match verdict {
        Verdict::Pass => Shape::Passed.state(language),
        Verdict::Warn => Shape::Warned.state(language),
        Verdict::NotMeasured => Shape::Needs.called(pick("Not measured", "未測定")),
        Verdict::Fail => Shape::Failed.called(pick("Failed", "不合格")),
    }
}

/// A number as people read it: four places at most, none that say nothing.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let places = match value.abs() {
        0.0 => 0,
        size if size >= 100_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn with_unit(value: f64, unit: &str, say: &Say) -> String {
    match unit {
        "" | "fraction" => number(value),
        "%" => say.pick(format!("{}{NBSP}%", number(value)), format!("{}%", number(value))),
        "reads" => reads(value, say),
        "M reads" => format!("{}{NBSP}M", number(value)),
        unit => format!("{}{NBSP}{unit}", number(value)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of reads")]
fn reads(value: f64, say: &Say) -> String {
    if value >= 0.0 && value.is_finite() { say.reads(value as u64) } else { number(value) }
}

/// `≥ 85, warn 88 %`
fn limit(sign: &str, fail: f64, warn: Option<f64>, unit: &str, say: &Say) -> String {
    let Some(warn) = warn else { return format!("{sign}{NBSP}{}", with_unit(fail, unit, say)) };
    let warned = with_unit(warn, unit, say);
    let fail = match unit {
        "reads" => with_unit(fail, unit, say),
        _ => number(fail),
    };
    say.pick(format!("{sign}{NBSP}{fail}, warn{NBSP}{warned}"), format!("{sign}{NBSP}{fail}、警告{NBSP}{warned}"))
}

fn row(
    metric: &str,
    unit: &str,
    (side, sign): (Side, &str),
    (fail, warn): (f64, Option<f64>),
    value: Option<f64>,
    verdict: Verdict,
    say: &Say,
) -> CheckRow {
    let named = find(metric).map(|known| say.pick(known.en, known.ja)).map(capital);
    let state = state(verdict, say.language);
    CheckRow {
        name: named.unwrap_or_else(|| metric.to_owned()),
        metric: metric.to_owned(),
        value: value.map_or_else(|| "–".to_owned(), |value| with_unit(value, unit, say)),
        limit: limit(sign, fail, warn, unit, say),
        strip: strip(&Gate { side, fail, warn, value, shape: state.shape }),
        state,
        verdict,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `>= 0.85`, as a workflow writes it.
fn comparison(text: &str) -> Option<(Side, &'static str, f64)> {
    let signs =
        [(">=", Side::AtLeast, "≥"), ("<=", Side::AtMost, "≤"), (">", Side::AtLeast, ">"), ("<", Side::AtMost, "<")];
    signs.into_iter().find_map(|(sign, side, shown)| {
        let number: f64 = text.trim().strip_prefix(sign)?.trim().parse().ok()?;
        number.is_finite().then_some((side, shown, number))
    })
}

/// What a gate of a run found.
pub(super) fn of_gate(step: &str, checks: &[CheckReport], say: &Say) -> Checks {
    let rows = checks.iter().take(ROWS_MAX).map(|check| of_check(check, say)).collect();
    let mut notes: Vec<String> = checks.iter().flat_map(|check| items(check, say)).take(12).collect();
    if checks.len() > ROWS_MAX {
        notes.push(
            say.pick(format!("{ROWS_MAX} of {} checks", checks.len()), format!("{}項目中{ROWS_MAX}項目", checks.len())),
        );
    }
    Checks { by: step.to_owned(), rows, notes }
}

fn of_check(check: &CheckReport, say: &Say) -> CheckRow {
    let verdict = match check.verdict {
        GateVerdict::Pass => Verdict::Pass,
        GateVerdict::Warn => Verdict::Warn,
        GateVerdict::NotMeasured => Verdict::NotMeasured,
        GateVerdict::Fail => Verdict::Fail,
    };
    let warn = check.warn.as_deref().and_then(comparison);
    match comparison(&check.pass) {
        // What a workflow calls `warn` is where it fails for good; between the two it is a warning.
        Some((side, sign, pass)) => {
            let limits = warn.map_or((pass, None), |(.., fail)| (fail, Some(pass)));
            row(&check.metric, &check.unit, (side, sign), limits, check.value, verdict, say)
        }
        None => CheckRow {
            limit: check.pass.clone(),
            strip: Safe(String::new()),
            ..row(&check.metric, &check.unit, (Side::AtLeast, "≥"), (0.0, None), check.value, verdict, say)
        },
    }
}

/// Lanes that did not pass: `L004: 0.78`
fn items(check: &CheckReport, say: &Say) -> Vec<String> {
    let bad = check.items.iter().filter(|item| item.verdict != GateVerdict::Pass);
    let told = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| with_unit(value, &check.unit, say));
    bad.map(|item| format!("{}: {} {}", item.item, check.metric, told(item.value))).collect()
}

/// Brought or measured values against the assay's criteria.
pub(super) fn of_evaluation(evaluation: &Evaluation, say: &Say) -> Checks {
    let mut notes = vec![say.pick(
        format!("Criteria {}, snapshot kept with the verdict.", evaluation.criteria),
        format!("基準 {}。判定時の内容を保存済み。", evaluation.criteria),
    )];
    notes.extend(evaluation.findings.iter().map(|finding| {
        let said = say.engine(&finding.said);
        say.pick(format!("{}: {said}", finding.about.word()), said.clone())
    }));
    let rows = evaluation.checks.iter().take(ROWS_MAX).map(|check| of_criterion(check, say)).collect();
    Checks { by: evaluation.criteria.clone(), rows, notes }
}

fn of_criterion(check: &Check, say: &Say) -> CheckRow {
    let criterion = &check.criterion;
    let side = match criterion.comparator {
        Comparator::AtLeast => (Side::AtLeast, "≥"),
        Comparator::AtMost => (Side::AtMost, "≤"),
    };
    let limits = match (criterion.warn, check.behavior) {
        (Some(fail), behavior) if behavior != Behavior::Warn => (fail, Some(criterion.pass)),
        _ => (criterion.pass, None),
    };
    row(&criterion.metric, criterion.unit.word(), side, limits, check.value, check.verdict, say)
}

/// Reads against what was ordered.
#[expect(clippy::cast_precision_loss, reason = "reads, for people")]
pub(super) fn of_reads(found: u64, needed: u64, say: &Say) -> Checks {
    let verdict = if found >= needed { Verdict::Pass } else { Verdict::Fail };
    let limits = (needed as f64, None);
    let mut row = row("reads", "reads", (Side::AtLeast, "≥"), limits, Some(found as f64), verdict, say);
    row.name = say.pick("Reads against order", "依頼に対するリード数").to_owned();
    let mut notes = Vec::new();
    if found < needed {
        let gap = (1.0 - found as f64 / needed as f64) * 100.0;
        notes.push(say.pick(format!("{gap:.1}{NBSP}% short."), format!("{gap:.1}%不足。")));
    }
    Checks { by: String::new(), rows: vec![row], notes }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn say() -> Say {
        Say::new(Language::En, TimeZone::UTC, 0)
    }

    #[test]
    fn a_number_has_the_places_that_say_something() {
        for (value, shown) in
            [(31.4, "31.4"), (0.004, "0.004"), (448.0, "448"), (99.78, "99.78"), (0.0, "0"), (-1.5, "-1.5")]
        {
            assert_eq!(number(value), shown);
        }
        assert_eq!(number(f64::NAN), "–");
    }

    #[test]
    fn what_warns_lies_between_the_two_limits_of_a_workflow() {
        let check = CheckReport {
            metric: "pct_reads_duplicate".into(),
            verdict: GateVerdict::Warn,
            value: Some(16.4),
            unit: "%".into(),
            pass: "<= 15".into(),
            warn: Some("<= 20".into()),
            items: Vec::new(),
            tracked: false,
        };
        let row = of_check(&check, &say());
        assert_eq!(row.limit.replace(NBSP, " "), "≤ 20, warn 15 %");
        assert_eq!((row.name.as_str(), row.state.shape), ("Duplicate reads", Shape::Warned));
        let odd = CheckReport { pass: "about <b>".into(), warn: None, ..check };
        assert_eq!(of_check(&odd, &say()).limit, "about <b>");
    }

    #[test]
    fn a_shortfall_is_said_in_percent_of_what_is_needed() {
        let checks = of_reads(571_800_000, 600_000_000, &say());
        assert_eq!(checks.worst(), Some(Verdict::Fail));
        assert_eq!(checks.notes[0].replace(NBSP, " "), "4.7 % short.");
        assert_eq!(checks.rows[0].value.replace(NBSP, " "), "571.8 M");
        assert_eq!(of_reads(600, 600, &say()).worst(), Some(Verdict::Pass));
    }
}
