//! A metric over order lines in time: is the process as it was? One point for each order line, its newest value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::Refused;
use super::measured::{Pages, Wish};
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::qc::control::{Chart, Limits, Rule, chart};
use crate::qc::metric::{Metric, Unit};
use crate::qc::verdict::{Evaluation, Value};
use crate::store::read::Reader;
use crate::store::rows::center::OrderEvaluation;
use crate::view::{document, time};

/// A metric in time order, with the limits of its earlier points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Metric of the catalogue.
    pub metric: String,
    /// Of every value and limit: the catalogue's own.
    pub unit: Unit,
    /// Oldest first.
    pub points: Vec<TrendPoint>,
    /// What the next point will be held to; absent while points are too few.
    pub limits: Option<Limits>,
    /// Points that those limits are of: a point that broke more than a warning is none of them.
    pub counted: usize,
    /// There are older points that were not asked for.
    pub older: bool,
}

/// One order line's newest value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// When it was judged.
    pub at: String,
    /// Order line.
    pub order_line: String,
    /// Specimen.
    pub specimen: String,
    /// `wgs_30x@1`
    pub assay: String,
    /// The evaluation that holds it.
    pub evaluation: String,
    /// In the trend's unit.
    pub value: f64,
    /// Tool that measured it; may be empty.
    pub tool: String,
    /// Its version; may be empty.
    pub tool_version: String,
    /// Of the points before it; absent while they are too few.
    pub limits: Option<Limits>,
    /// Deviations from their mean; absent without limits, and where nothing ever moved.
    pub score: Option<f64>,
    /// Rules of Westgard that it breaks: `1-2s`, a warning, `1-3s`, `2-2s`, `R-4s`, `10-x`.
    pub broken: Vec<Rule>,
}

/// The newest values of a metric, oldest first, each against those before it.
///
/// # Errors
/// When they may not see measured values, the assay is not there, or the database cannot be read.
pub async fn trend(reader: &Reader, who: &Principal, metric: &Metric, wish: &Wish) -> Result<Trend, Refused> {
    let mut pages = Pages::begin(reader, who, wish).await?;
    // By order line: what was measured again replaces what was measured first, wherever the two lie.
    let mut found: BTreeMap<String, (Micros, TrendPoint)> = BTreeMap::new();
    let mut older = false;
    'pages: loop {
        let page = pages.next().await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            if found.contains_key(&row.order_line_id) {
                continue;
            }
            let evaluation: Evaluation = document("an evaluation", &row.document)?;
            let Some((value, number)) = measured(&evaluation.values, metric) else { continue };
            if found.len() == wish.limit {
                older = true;
                break 'pages;
            }
            found.insert(row.order_line_id.clone(), (row.created_us, point(row, value, number)));
        }
    }
    let mut points: Vec<(Micros, TrendPoint)> = found.into_values().collect();
    points.sort_by(|(at, one), (other_at, other)| (at, &one.evaluation).cmp(&(other_at, &other.evaluation)));
    Ok(judged(metric, points.into_iter().map(|(_, point)| point).collect(), older))
}

/// The metric's value, as it was brought and in its own unit. What is no number was not measured.
fn measured<'v>(values: &'v [Value], metric: &Metric) -> Option<(&'v Value, f64)> {
    let own = values.iter().filter(|value| value.metric == metric.id);
    let mut numbers = own.filter_map(|value| Some((value, value.unit.convert(value.value?, metric.unit).ok()?)));
    numbers.find(|(_, number)| number.is_finite())
}

fn point(row: &OrderEvaluation, value: &Value, number: f64) -> TrendPoint {
    TrendPoint {
        at: time(row.created_us),
        order_line: row.order_line_id.clone(),
        specimen: row.specimen_id.clone(),
        assay: format!("{}@{}", row.assay, row.assay_version),
        evaluation: row.evaluation_id.clone(),
        value: number,
        tool: value.tool.clone(),
        tool_version: value.tool_version.clone(),
        limits: None,
        score: None,
        broken: Vec::new(),
    }
}

fn judged(metric: &Metric, mut points: Vec<TrendPoint>, older: bool) -> Trend {
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let Chart { points: judged, limits, counted } = chart(&values);
    for (point, judged) in points.iter_mut().zip(judged) {
        point.limits = judged.limits;
        point.score = judged.limits.and_then(|limits| limits.score(point.value));
        point.broken = judged.broken;
    }
    Trend { metric: metric.id.to_owned(), unit: metric.unit, points, limits, counted, older }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qc::metric::find;

    fn value(metric: &str, value: Option<f64>, unit: Unit) -> Value {
        let (tool, tool_version, source_sha256) = Default::default();
        Value { metric: metric.into(), value, unit, tool, tool_version, source_sha256 }
    }

    #[test]
    fn a_value_is_told_in_the_metrics_own_unit_and_what_is_no_number_is_no_point() {
        let metric = find("q30_rate").expect("known");
        let told = |values: &[Value]| measured(values, metric).map(|(_, number)| number);
        assert_eq!(
            told(&[value("reads", Some(1.0), Unit::Reads), value("q30_rate", Some(93.0), Unit::Percent)]),
            Some(0.93)
        );
        assert_eq!(
            told(&[value("q30_rate", None, Unit::Fraction), value("q30_rate", Some(f64::NAN), Unit::Percent)]),
            None
        );
    }

    #[test]
    fn a_trend_reads_back_as_it_was_written() {
        let row = OrderEvaluation {
            evaluation_id: "e1".into(),
            order_line_id: "O1".into(),
            specimen_id: "S1".into(),
            assay: "wgs".into(),
            assay_version: "1".into(),
            order_document: "{}".into(),
            document: "{}".into(),
            created_us: 0,
        };
        let of = |number: f64| point(&row, &value("reads", Some(number), Unit::Reads), number);
        let numbers = [5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 9.0];
        let trend = judged(find("reads").expect("known"), numbers.map(of).to_vec(), false);
        let last = trend.points.last().expect("a point");
        assert_eq!(last.broken, [Rule::OneTwoS, Rule::OneThreeS]);
        assert!(last.score.is_some_and(|score| score > 3.0) && trend.counted == 10, "{trend:?}");
        let text = serde_json::to_string(&trend).expect("written");
        assert!(text.contains(r#""broken":["1-2s","1-3s"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Trend>(&text).expect("read"), trend);
    }
}
