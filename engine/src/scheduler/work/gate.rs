//! Reading a gate's values: files of the artifact store in, a report out.

use std::path::PathBuf;

use kentai_workflows::value::{FileValue, Map, Value};
use kentai_workflows::workflow::{Read, StepKind};

use crate::decide::gate::{Criterion, Reading, criteria, evaluate};
use crate::qc::reader;
use crate::scheduler::live::LiveRun;
use crate::scheduler::scope;
use crate::store::rows::detail::GateReport;

/// No metrics file of any tool comes near; a bigger one is a mistake in the workflow.
const FILE_MAX: u64 = 64 << 20;

pub(in crate::scheduler) struct Work {
    places: Vec<Place>,
    criteria: Vec<Criterion>,
}

struct Place {
    metric: String,
    files: Vec<(String, Option<PathBuf>)>,
    list: bool,
    at: Option<String>,
    reader: Option<String>,
    field: String,
    contigs: Vec<String>,
    unit: String,
    combine: Option<String>,
}

impl Work {
    /// Renders places and criteria; whatever cannot be evaluated is said in words.
    pub(in crate::scheduler) fn of(run: &LiveRun, index: usize) -> Result<Self, String> {
        let StepKind::Gate(gate) = &run.definition(index).kind else { return Err("it is not a gate".into()) };
        let scope = scope::of(run, index);
        let places =
            gate.read.iter().map(|(metric, read)| place(run, &scope, metric, read)).collect::<Result<_, _>>()?;
        Ok(Self { places, criteria: criteria(gate, &scope)? })
    }

    /// Reads and judges. Blocking.
    pub(in crate::scheduler) fn done(&self) -> Result<GateReport, String> {
        let readings = self.places.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        evaluate(&readings, &self.criteria).map_err(|error| error.to_string())
    }
}

fn place(run: &LiveRun, scope: &Map, metric: &str, read: &Read) -> Result<Place, String> {
    let value = match read.from.evaluate(scope) {
        Ok(value) => value,
        Err(_) if read.if_made => Value::Null,
        Err(error) => return Err(error.to_string()),
    };
    let path = |value: &Value| FileValue::of(value).and_then(|file| file.path).map(PathBuf::from);
    let (files, list) = match &value {
        Value::Array(items) => (
            items
                .iter()
                .map(path)
                .enumerate()
                .map(|(n, path)| (item_name(run, &read.from.references, n), path))
                .collect(),
            true,
        ),
        Value::Null if read.if_made => (vec![(String::new(), None)], false),
        one => {
            let path = path(one).ok_or_else(|| format!("`{}` is not a file", read.from.text))?;
            (vec![(String::new(), Some(path))], false)
        }
    };
    Ok(Place {
        metric: metric.to_owned(),
        files,
        list,
        at: read.at.clone(),
        reader: read.reader.clone(),
        field: read.metric.clone().unwrap_or_else(|| metric.to_owned()),
        contigs: read.contigs.clone(),
        unit: read.unit.clone().unwrap_or_default(),
        combine: read.combine.clone(),
    })
}

/// `L004`, when the list is `steps.trim.all.…`; else the position, counted from 1.
fn item_name(run: &LiveRun, references: &[Vec<String>], position: usize) -> String {
    let names = references.iter().find_map(|reference| match reference.as_slice() {
        [steps, step, _all, output, ..] if steps == "steps" => Some(scope::item_names(run, step, output)),
        _ => None,
    });
    names.and_then(|names| names.get(position).cloned()).unwrap_or_else(|| (position + 1).to_string())
}

fn read(place: &Place) -> Result<Reading, String> {
    let values = place
        .files
        .iter()
        .map(|(item, path)| Ok((item.clone(), path.as_ref().map(|path| number(place, path)).transpose()?.flatten())))
        .collect::<Result<_, String>>()?;
    Ok(Reading {
        metric: place.metric.clone(),
        values,
        list: place.list,
        unit: place.unit.clone(),
        combine: place.combine.clone(),
    })
}

fn number(place: &Place, path: &std::path::Path) -> Result<Option<f64>, String> {
    let metric = &place.metric;
    let size = std::fs::metadata(path).map_err(|error| format!("{metric}: {error}"))?.len();
    if size > FILE_MAX {
        return Err(format!("{metric}: the file has {size} bytes; a metrics file has at most {FILE_MAX}"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("{metric}: {error}"))?;
    let found = match (&place.reader, &place.at) {
        (Some(name), _) => reader::read(name, &place.field, &place.contigs, &bytes),
        (None, Some(at)) => reader::json_number(&bytes, at),
        (None, None) => Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok())),
    };
    found.map_err(|error| format!("{metric}: {error}"))
}
