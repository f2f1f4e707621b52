//! Every metric that is watched, in one list: how many values, the last one, what breaks the rules, what passes, and who let pass what did
//! not. It reads the last days only, and no more than a measure of them; whoever shows it keeps it for a moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::Refused;
use super::measured::{Pages, Wish, may};
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::qc::control::{Rule, chart};
use crate::qc::metric::{Metric, find};
use crate::qc::verdict::{Evaluation, Verdict};
use crate::specimen::record::{Decision, Kind};
use crate::store::read::{GateFilter, Reader};
use crate::view::{document, time};

/// Days that are looked at.
pub const DAYS: i64 = 30;
/// Order lines and values of a metric that are looked at, the newest.
pub const VALUES: usize = 2_000;
/// Decisions that are looked through, the newest.
const DECISIONS: i64 = 2_000;
const DAY_US: i64 = 86_400_000_000;
/// The way out that lets pass what did not.
const RELEASE: &str = "release";

/// How the list is narrowed.
#[derive(Clone, Debug, Default)]
pub struct Narrow {
    /// Only this assay version's order lines; gates of runs are left out then.
    pub assay: Option<(String, String)>,
    /// Only this workflow's gates; order lines are left out then.
    pub workflow: Option<String>,
}

/// A metric that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Metric.
    pub metric: String,
    /// It is measured of order lines; else by gates of runs.
    pub of_order_lines: bool,
    /// Unit; may be empty.
    pub unit: String,
    /// Values of the last [`DAYS`] days, [`VALUES`] at most.
    pub count: usize,
    /// The newest value, and when it was measured.
    pub last: Option<(f64, String)>,
    /// Its deviations from the mean of those before it.
    pub score: Option<f64>,
    /// Rules that the newest value breaks.
    pub broken: Vec<Rule>,
    /// Values that break more than a warning.
    pub out: usize,
    /// Values that break a warning and no more.
    pub warned: usize,
    /// Values that were judged by criteria.
    pub judged: usize,
    /// Of those: good, or good enough.
    pub passed: usize,
    /// Who let values pass that did not, and how many; the most first.
    pub overrides: Vec<(String, usize)>,
}

/// What is known of one value.
struct Seen {
    at_us: Micros,
    value: f64,
    /// Of its criterion.
    verdict: Option<Verdict>,
    /// Who let it pass.
    released_by: Option<String>,
}

/// Measured values are for people of the center.
///
/// # Errors
/// When they may not see them.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    may(who)
}

/// Every watched metric, by name, those of order lines first.
///
/// # Errors
/// When they may not see measured values, there is no such assay, or the database cannot be read.
pub async fn quality(reader: &Reader, who: &Principal, now: Micros, narrow: &Narrow) -> Result<Vec<Watched>, Refused> {
    may(who)?;
    let since_us = now.saturating_sub(DAYS * DAY_US);
    let mut all = Vec::new();
    if narrow.workflow.is_none() {
        all.extend(of_order_lines(reader, who, since_us, narrow.assay.clone()).await?);
    }
    if narrow.assay.is_none() {
        all.extend(of_gates(reader, since_us, narrow.workflow.as_deref()).await?);
    }
    Ok(all)
}

async fn of_order_lines(
    reader: &Reader,
    who: &Principal,
    since_us: Micros,
    assay: Option<(String, String)>,
) -> Result<Vec<Watched>, Refused> {
    let released = released_evaluations(reader, since_us).await?;
    let mut pages = Pages::begin(reader, who, &Wish { assay, since_us, limit: VALUES }).await?;
    // By metric, then by order line: what was measured again replaces what was measured first.
    let mut seen: BTreeMap<&'static str, (&'static Metric, BTreeMap<String, Seen>)> = BTreeMap::new();
    let mut lines = 0;
    'pages: loop {
        let page = pages.next().await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            if lines == VALUES {
                break 'pages;
            }
            lines += 1;
            let evaluation: Evaluation = document("an evaluation", &row.document)?;
            for value in &evaluation.values {
                let Some(metric) = find(&value.metric) else { continue };
                let number = value.value.and_then(|number| value.unit.convert(number, metric.unit).ok());
                let Some(number) = number.filter(|number| number.is_finite()) else { continue };
                let known = &mut seen.entry(metric.id).or_insert_with(|| (metric, BTreeMap::new())).1;
                known.entry(row.order_line_id.clone()).or_insert_with(|| Seen {
                    at_us: row.created_us,
                    value: number,
                    verdict: verdict_of(&evaluation, metric.id),
                    released_by: released.get(&row.evaluation_id).cloned(),
                });
            }
        }
    }
    let told = seen.into_values();
    Ok(told.map(|(metric, seen)| watched(metric.id, true, metric.unit.word(), seen.into_values().collect())).collect())
}

/// The worst of the metric's criteria; none when nothing judges it.
fn verdict_of(evaluation: &Evaluation, metric: &str) -> Option<Verdict> {
    let own = evaluation.checks.iter().filter(|check| check.criterion.metric == metric).map(|check| check.verdict);
    own.max_by_key(|verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::Warn => 1,
        Verdict::NotMeasured => 2,
        Verdict::Fail => 3,
    })
}

/// Evaluation → who let it pass.
async fn released_evaluations(reader: &Reader, since_us: Micros) -> Result<BTreeMap<String, String>, Refused> {
    let mut found = BTreeMap::new();
    for row in reader.newest_first(Kind::Decision.word(), Some(RELEASE), None, DECISIONS).await? {
        if row.created_us < since_us {
            break;
        }
        let doc: Decision = document("a decision", &row.document)?;
        if !doc.evaluation.is_empty() {
            found.entry(doc.evaluation).or_insert(doc.person);
        }
    }
    Ok(found)
}

async fn of_gates(reader: &Reader, since_us: Micros, workflow: Option<&str>) -> Result<Vec<Watched>, Refused> {
    let decided = reader.qc_decisions(since_us, DECISIONS).await?;
    let released: BTreeMap<(&str, &str), &str> = decided
        .iter()
        .filter(|row| row.verdict == RELEASE)
        .map(|row| ((row.run_id.as_str(), row.step_key.as_str()), row.person.as_str()))
        .collect();
    let mut all = Vec::new();
    for metric in reader.gate_metrics().await? {
        let workflow = workflow.map(str::to_owned);
        let limit = i64::try_from(VALUES).unwrap_or(i64::MAX);
        let filter = GateFilter { metric: metric.clone(), since_us, workflow, specimen: None, limit };
        let rows = reader.gate_values(&filter).await?;
        let Some(unit) = rows.first().map(|row| row.unit.clone()) else { continue };
        let one = |row: &crate::store::rows::quality::GateValue| {
            let value: f64 = serde_json::from_str(&row.value).ok()?;
            let person = released.get(&(row.run_id.as_str(), row.step_key.as_str()));
            Some(Seen {
                at_us: row.at_us,
                value,
                verdict: Verdict::parse(&row.verdict),
                released_by: person.map(|person| (*person).to_owned()),
            })
        };
        let seen = rows.iter().filter(|row| row.unit == unit).filter_map(one).collect();
        all.push(watched(&metric, false, &unit, seen));
    }
    Ok(all)
}

fn watched(metric: &str, of_order_lines: bool, unit: &str, mut seen: Vec<Seen>) -> Watched {
    seen.sort_by_key(|one| one.at_us);
    let values: Vec<f64> = seen.iter().map(|one| one.value).collect();
    let points = chart(&values).points;
    let times = |warning: bool| {
        let is = |rules: &[Rule]| !rules.is_empty() && rules.iter().all(|rule| rule.is_warning()) == warning;
        points.iter().filter(|point| is(&point.broken)).count()
    };
    let good = |verdict: Verdict| matches!(verdict, Verdict::Pass | Verdict::Warn);
    let mut overrides: BTreeMap<String, usize> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.verdict.is_some_and(|verdict| !good(verdict))) {
        if let Some(person) = &one.released_by {
            *overrides.entry(person.clone()).or_default() += 1;
        }
    }
    let mut overrides: Vec<(String, usize)> = overrides.into_iter().collect();
    overrides.sort_by(|(one, count), (other, more)| more.cmp(count).then(one.cmp(other)));
    let last = seen.last();
    Watched {
        metric: metric.to_owned(),
        of_order_lines,
        unit: unit.to_owned(),
        count: seen.len(),
        last: last.map(|one| (one.value, time(one.at_us))),
        score: last.zip(points.last()).and_then(|(one, judged)| judged.limits?.score(one.value)),
        broken: points.last().map(|point| point.broken.clone()).unwrap_or_default(),
        out: times(false),
        warned: times(true),
        judged: seen.iter().filter(|one| one.verdict.is_some()).count(),
        passed: seen.iter().filter(|one| one.verdict.is_some_and(good)).count(),
        overrides,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at_us: Micros, value: f64, verdict: Verdict, released_by: Option<&str>) -> Seen {
        Seen { at_us, value, verdict: Some(verdict), released_by: released_by.map(str::to_owned) }
    }

    #[test]
    fn a_watched_metric_counts_breaches_passes_and_names_who_let_pass() {
        let steady = [100.0, 101.0, 99.0, 100.5, 99.5, 101.0, 99.0, 100.0, 101.5, 98.5, 100.0, 100.5];
        let mut all: Vec<Seen> =
            steady.iter().zip(0..).map(|(value, at)| seen(at, *value, Verdict::Pass, None)).collect();
        all.push(seen(20, 140.0, Verdict::Fail, Some("rev-02")));
        // Who let pass what was good overrode nothing.
        all.push(seen(21, 100.0, Verdict::Warn, Some("rev-05")));
        all.push(seen(22, 102.1, Verdict::Fail, None));
        let told = watched("q30_rate", true, "fraction", all);
        assert_eq!((told.count, told.judged, told.passed), (15, 15, 13));
        assert_eq!((told.out, told.warned), (1, 1));
        assert_eq!(told.broken, [Rule::OneTwoS]);
        assert_eq!(told.overrides, [("rev-02".to_owned(), 1)]);
        assert_eq!(told.last.as_ref().map(|(value, _)| *value), Some(102.1));
        assert!(told.score.is_some_and(|score| score > 2.0));
    }

    #[test]
    fn a_metric_without_values_says_so() {
        let told = watched("reads", true, "reads", Vec::new());
        assert_eq!((told.count, told.last, told.score, told.judged), (0, None, None, 0));
    }
}
