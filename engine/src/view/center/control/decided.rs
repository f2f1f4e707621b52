//! What people decided about points of a control chart: ways out of quality questions, and deviations that name the metric.

use serde::{Deserialize, Serialize};

use super::Point;
use crate::clock::Micros;
use crate::specimen::record::{Decision, Deviation, Kind};
use crate::store::read::Reader;
use crate::view::center::access::Refused;
use crate::view::{document, time};

/// Deviations that are looked through, the newest.
const DEVIATIONS: i64 = 500;
/// Points whose decisions are looked for: those that break a rule, the newest.
const POINTS: usize = 60;

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// `release`, `top_up` …, or `deviation`.
    pub what: String,
    /// The deviation's id; empty for a decision.
    pub id: String,
    /// Who; empty where the record does not say.
    pub person: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
    /// It waits for somebody: a deviation that is open.
    pub open: bool,
}

/// What a deviation about a point of a metric says that it is about; without a thing, about the metric.
#[must_use]
pub fn subject(metric: &str, thing: &str) -> String {
    if thing.is_empty() { format!("metric {metric}") } else { format!("metric {metric} {thing}") }
}

/// Puts decisions beside the points that they are about; those that name no point of the chart come back.
pub(super) async fn about(reader: &Reader, metric: &str, points: &mut [Point]) -> Result<Vec<Said>, Refused> {
    for point in points.iter_mut().rev().filter(|point| !point.broken.is_empty()).take(POINTS) {
        point.said = of_point(reader, point).await?;
    }
    let mut rest = Vec::new();
    for row in reader.newest_first(Kind::Deviation.word(), None, None, DEVIATIONS).await? {
        let doc: Deviation = document("a deviation", &row.document)?;
        let Some(of) = doc.about.strip_prefix("metric ").map(str::trim) else { continue };
        let (named, thing) = of.split_once(' ').unwrap_or((of, ""));
        if named != metric {
            continue;
        }
        let closed = row.status == "closed";
        let said = Said {
            what: Kind::Deviation.word().to_owned(),
            id: row.record_id.clone(),
            person: doc.closed_by.clone(),
            reason: if closed { doc.action.clone() } else { doc.description.clone() },
            at: time(if closed { row.updated_us } else { row.created_us }),
            open: !closed,
        };
        let is_it = |point: &&mut Point| !thing.is_empty() && (point.run == thing || point.order_line == thing);
        match points.iter_mut().find(is_it) {
            Some(point) => point.said.push(said),
            None => rest.push(said),
        }
    }
    Ok(rest)
}

async fn of_point(reader: &Reader, point: &Point) -> Result<Vec<Said>, Refused> {
    let said = |what: String, person: String, reason: String, at: Micros| Said {
        what,
        id: String::new(),
        person,
        reason,
        at: time(at),
        open: false,
    };
    if !point.run.is_empty() {
        let rows = reader.decisions(&point.run).await?;
        let own = rows.into_iter().rev().filter(|row| row.kind == "qc" && row.step_key.as_str() == point.step);
        return Ok(own.map(|row| said(row.verdict, row.person, row.reason, row.at_us)).collect());
    }
    let mut found = Vec::new();
    for row in reader.records_of(Kind::Decision.word(), &point.order_line).await?.iter().rev() {
        let doc: Decision = document("a decision", &row.document)?;
        found.push(said(doc.way, doc.person, doc.reason, doc.at_us));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deviation_is_about_is_read_back() {
        assert_eq!(subject("q30_rate", ""), "metric q30_rate");
        assert_eq!(subject("q30_rate", "O000000015"), "metric q30_rate O000000015");
    }
}
