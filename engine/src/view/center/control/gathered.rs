//! Where the points of a control chart come from, and what stands behind each: the instrument, and the lot.

use std::collections::{BTreeMap, BTreeSet};

use super::{Point, Source, Wish};
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::qc::metric::find;
use crate::specimen::record::{InstrumentRun, Kind};
use crate::store::read::{GateFilter, Reader};
use crate::store::rows::quality::GateValue;
use crate::view::center::Wish as TrendWish;
use crate::view::center::access::{Refused, missing};
use crate::view::center::trend::trend;
use crate::view::{document, time};

/// Unit, points (oldest first), and whether there are older ones.
pub(super) async fn points(
    reader: &Reader,
    who: &Principal,
    metric: &str,
    wish: &Wish,
) -> Result<(String, Vec<Point>, bool), Refused> {
    let specimen = match &wish.source {
        Source::OrderLines => return of_order_lines(reader, who, metric, wish).await,
        Source::Runs => None,
        Source::Control(specimen) => Some(specimen.clone()),
    };
    let asked = i64::try_from(wish.limit).unwrap_or(i64::MAX);
    let filter = GateFilter {
        metric: metric.to_owned(),
        since_us: wish.since_us,
        workflow: wish.workflow.clone(),
        specimen,
        limit: asked.saturating_add(1),
    };
    let mut rows = reader.gate_values(&filter).await?;
    if rows.is_empty() && !reader.gate_metrics().await?.iter().any(|known| known == metric) {
        return Err(missing("tracked metric", &metric.escape_debug().to_string()));
    }
    let older = rows.len() > wish.limit;
    rows.truncate(wish.limit);
    rows.reverse();
    // A chart has one unit: the one that is in use now.
    let unit = rows.last().map(|row| row.unit.clone()).unwrap_or_default();
    let points = rows.iter().filter(|row| row.unit == unit).filter_map(point).collect();
    Ok((unit, points, older))
}

async fn of_order_lines(
    reader: &Reader,
    who: &Principal,
    metric: &str,
    wish: &Wish,
) -> Result<(String, Vec<Point>, bool), Refused> {
    let known = find(metric).ok_or_else(|| missing("metric", &metric.escape_debug().to_string()))?;
    let asked = TrendWish { assay: wish.assay.clone(), since_us: wish.since_us, limit: wish.limit };
    let found = trend(reader, who, known, &asked).await?;
    let points = found.points.into_iter().map(|point| Point {
        at: point.at,
        run: String::new(),
        step: String::new(),
        order_line: point.order_line,
        specimen: point.specimen,
        of: point.assay,
        value: point.value,
        instrument: String::new(),
        lot: String::new(),
        limits: None,
        score: None,
        broken: Vec::new(),
        said: Vec::new(),
    });
    Ok((found.unit.word().to_owned(), points.collect(), found.older))
}

/// What is no number was not measured.
fn point(row: &GateValue) -> Option<Point> {
    let value: f64 = serde_json::from_str(&row.value).ok()?;
    value.is_finite().then(|| Point {
        at: time(row.at_us),
        run: row.run_id.clone(),
        step: row.step_key.clone(),
        order_line: row.order_line_id.clone(),
        specimen: row.specimen_id.clone(),
        of: format!("{} {}", row.workflow_id, row.workflow_version),
        value,
        instrument: String::new(),
        lot: String::new(),
        limits: None,
        score: None,
        broken: Vec::new(),
        said: Vec::new(),
    })
}

/// Says of each point what sequenced it and from which lot: the newest lane and library that were there before it.
pub(super) async fn made_of(reader: &Reader, points: &mut [Point]) -> Result<(), Refused> {
    let specimens: BTreeSet<String> = points.iter().map(|point| point.specimen.clone()).collect();
    let specimens: Vec<String> = specimens.into_iter().collect();
    let (mut lanes, mut lots) = (Past::default(), Past::default());
    for row in reader.made_of(&specimens).await? {
        if row.kind == Kind::Library.word() {
            lots.add(&row.specimen_id, row.created_us, row.kit);
        } else if let Some((run, _)) = row.record_id.split_once('/') {
            lanes.add(&row.specimen_id, row.created_us, run.to_owned());
        }
    }
    let mut instruments: BTreeMap<String, String> = BTreeMap::new();
    for point in points {
        let Ok(at) = point.at.parse::<jiff::Timestamp>() else { continue };
        let at = at.as_microsecond();
        point.lot = lots.before(&point.specimen, at).unwrap_or_default().to_owned();
        let Some(run) = lanes.before(&point.specimen, at) else { continue };
        if !instruments.contains_key(run) {
            let row = reader.record(Kind::InstrumentRun.word(), run).await?;
            let known: Option<InstrumentRun> =
                row.map(|row| document("an instrument run", &row.document)).transpose()?;
            instruments.insert(run.to_owned(), known.map(|known| known.instrument).unwrap_or_default());
        }
        point.instrument = instruments.get(run).cloned().unwrap_or_default();
    }
    Ok(())
}

/// What was said of specimens, and when.
#[derive(Default)]
struct Past(BTreeMap<String, Vec<(Micros, String)>>);

impl Past {
    /// Later than what was added of it before.
    fn add(&mut self, specimen: &str, at: Micros, what: String) {
        if !what.is_empty() {
            self.0.entry(specimen.to_owned()).or_default().push((at, what));
        }
    }

    fn before(&self, specimen: &str, at: Micros) -> Option<&str> {
        let known = self.0.get(specimen)?;
        known.iter().rev().find(|(since, _)| *since <= at).map(|(_, what)| what.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_of_the_newest_lot_before_it() {
        let mut past = Past::default();
        past.add("S1", 5, "F-1".into());
        past.add("S1", 9, "F-2".into());
        past.add("S2", 1, String::new());
        let told = [4, 5, 8, 9, 20].map(|at| past.before("S1", at));
        assert_eq!(told, [None, Some("F-1"), Some("F-1"), Some("F-2"), Some("F-2")]);
        assert_eq!(past.before("S2", 9), None);
    }
}
