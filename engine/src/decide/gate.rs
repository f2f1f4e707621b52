//! A gate's verdict: values against criteria, worst first. Pure; the values were read by `qc`.

use kentai_workflows::value::{Map, Value};
use kentai_workflows::workflow::{Gate, Missing};

use crate::store::rows::detail::{CheckReport, GateReport, ItemReport, Verdict};

/// A measured metric: one value, or one per item.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Metric.
    pub metric: String,
    /// Item name (empty for a single file) and value.
    pub values: Vec<(String, Option<f64>)>,
    /// The files were a list.
    pub list: bool,
    /// Unit of the values.
    pub unit: String,
    /// `min`, `max`, `mean`, `sum` for the headline.
    pub combine: Option<String>,
}

/// A criterion whose templates are rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// Metric.
    pub metric: String,
    /// `>= 0.85`
    pub pass: String,
    /// Weaker.
    pub warn: Option<String>,
    /// When there is no value.
    pub missing: Missing,
    /// On control charts.
    pub tracked: bool,
}

/// A comparison that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a comparison with a number; write one like `>= 0.85`")]
pub struct BadCriterion(pub String);

/// The criteria of a gate that apply, with their templates rendered.
///
/// # Errors
/// What cannot be evaluated, in words.
pub fn criteria(gate: &Gate, scope: &Map) -> Result<Vec<Criterion>, String> {
    let mut criteria = Vec::new();
    for check in &gate.checks {
        let applies = check
            .applies
            .as_ref()
            .map(|expression| expression.evaluate(scope))
            .transpose()
            .map_err(|error| error.to_string())?;
        match applies {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => continue,
            Some(other) => {
                return Err(format!("`applies` of {} gave {other}, which is neither true nor false", check.metric));
            }
        }
        let render = |template: &kentai_workflows::expression::Template| {
            template.render_text(scope).map_err(|error| error.to_string())
        };
        criteria.push(Criterion {
            metric: check.metric.clone(),
            pass: render(&check.pass)?,
            warn: check.warn.as_ref().map(render).transpose()?,
            missing: check.missing,
            tracked: gate.track.contains(&check.metric),
        });
    }
    Ok(criteria)
}

/// Compares every reading with its criterion.
///
/// # Errors
/// [`BadCriterion`] when a rendered criterion cannot be read.
pub fn evaluate(readings: &[Reading], criteria: &[Criterion]) -> Result<GateReport, BadCriterion> {
    let checks = criteria
        .iter()
        .map(|criterion| check(criterion, readings.iter().find(|reading| reading.metric == criterion.metric)))
        .collect::<Result<Vec<_>, _>>()?;
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Pass);
    Ok(GateReport { verdict, checks })
}

fn check(criterion: &Criterion, reading: Option<&Reading>) -> Result<CheckReport, BadCriterion> {
    let pass = Comparison::parse(&criterion.pass)?;
    let warn = criterion.warn.as_deref().map(Comparison::parse).transpose()?;
    let judge = |value: Option<f64>| match value {
        None => missing(criterion.missing),
        Some(value) if pass.holds(value) => Verdict::Pass,
        Some(value) if warn.is_some_and(|warn| warn.holds(value)) => Verdict::Warn,
        Some(_) => Verdict::Fail,
    };
    let values: &[(String, Option<f64>)] = reading.map_or(&[], |reading| &reading.values);
    let items: Vec<ItemReport> = values
        .iter()
        .map(|(item, value)| ItemReport { item: item.clone(), value: *value, verdict: judge(*value) })
        .collect();
    let verdict = items.iter().map(|item| item.verdict).max().unwrap_or(missing(criterion.missing));
    let list = reading.is_some_and(|reading| reading.list);
    Ok(CheckReport {
        metric: criterion.metric.clone(),
        verdict,
        value: headline(reading),
        unit: reading.map(|reading| reading.unit.clone()).unwrap_or_default(),
        pass: criterion.pass.clone(),
        warn: criterion.warn.clone(),
        items: if list { items } else { Vec::new() },
        tracked: criterion.tracked,
    })
}

fn missing(wish: Missing) -> Verdict {
    match wish {
        Missing::Pass => Verdict::Pass,
        Missing::Warn => Verdict::Warn,
        Missing::Fail => Verdict::Fail,
        Missing::NotMeasured => Verdict::NotMeasured,
    }
}

/// One number for a list; absent as soon as one item has none, so that a gap is never averaged away.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of items")]
pub fn headline(reading: Option<&Reading>) -> Option<f64> {
    let reading = reading?;
    let values: Vec<f64> = reading.values.iter().map(|(_, value)| *value).collect::<Option<_>>()?;
    let sum: f64 = values.iter().sum();
    match reading.combine.as_deref() {
        _ if values.is_empty() => None,
        _ if values.len() == 1 => Some(values[0]),
        Some("max") => values.iter().copied().reduce(f64::max),
        Some("mean") => Some(sum / values.len() as f64),
        Some("sum") => Some(sum),
        _ => values.iter().copied().reduce(f64::min),
    }
}

#[derive(Clone, Copy, Debug)]
struct Comparison {
    operator: Operator,
    limit: f64,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Equal,
    NotEqual,
}

impl Comparison {
    fn parse(text: &str) -> Result<Self, BadCriterion> {
        const OPERATORS: [(&str, Operator); 6] = [
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            (">", Operator::Above),
            ("<", Operator::Below),
        ];
        let text = text.trim();
        OPERATORS
            .iter()
            .find_map(|(sign, operator)| {
                let limit: f64 = text.strip_prefix(sign)?.trim().parse().ok()?;
                limit.is_finite().then_some(Self { operator: *operator, limit })
            })
            .ok_or_else(|| BadCriterion(text.to_owned()))
    }

    #[expect(clippy::float_cmp, reason = "`==` in a criterion means exactly equal")]
    fn holds(self, value: f64) -> bool {
        match self.operator {
            Operator::AtLeast => value >= self.limit,
            Operator::AtMost => value <= self.limit,
            Operator::Above => value > self.limit,
            Operator::Below => value < self.limit,
            Operator::Equal => value == self.limit,
            Operator::NotEqual => value != self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q30(values: &[(&str, Option<f64>)]) -> Reading {
        Reading {
            metric: "q30".into(),
            values: values.iter().map(|(item, value)| ((*item).to_owned(), *value)).collect(),
            list: true,
            unit: String::new(),
            combine: Some("min".into()),
        }
    }

    fn criterion() -> Criterion {
        Criterion {
            metric: "q30".into(),
            pass: ">= 0.85".into(),
            warn: Some(">= 0.8".into()),
            missing: Missing::Fail,
            tracked: true,
        }
    }

    #[test]
    fn the_worst_lane_decides_and_every_lane_keeps_its_verdict() {
        let report =
            evaluate(&[q30(&[("L001", Some(0.861)), ("L002", Some(0.834)), ("L004", Some(0.78))])], &[criterion()]);
        let report = report.expect("a good criterion");
        assert_eq!(report.verdict, Verdict::Fail);
        assert_eq!(report.checks[0].value, Some(0.78));
        let verdicts: Vec<_> = report.checks[0].items.iter().map(|item| item.verdict).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Warn, Verdict::Fail]);
    }

    #[test]
    fn a_missing_value_is_decided_by_the_workflow() {
        let report =
            evaluate(&[q30(&[("L001", Some(0.9)), ("L002", None)])], &[criterion()]).expect("a good criterion");
        assert_eq!((report.verdict, report.checks[0].value), (Verdict::Fail, None));
        assert_eq!(evaluate(&[], &[criterion()]).expect("a good criterion").verdict, Verdict::Fail);
    }

    #[test]
    fn a_value_that_is_not_a_number_never_passes() {
        let report = evaluate(&[q30(&[("L001", Some(f64::NAN))])], &[criterion()]).expect("a good criterion");
        assert_eq!(report.verdict, Verdict::Fail);
    }

    #[test]
    fn a_broken_criterion_is_an_error() {
        let bad = Criterion { pass: "about 3".into(), ..criterion() };
        assert!(evaluate(&[], &[bad]).is_err());
    }
}
