//! The GA4GH WGS QC JSON: ids of the standard with their numbers, flat or beneath `wgs_qc_metrics`.

use serde_json::{Map, Value as Json};

use super::super::metric::find;
use super::super::reader::Error;
use super::super::verdict::Value;

fn metrics(document: &Json) -> Option<&Map<String, Json>> {
    document.get("wgs_qc_metrics").unwrap_or(document).as_object()
}

/// Does it name at least one metric of the standard?
pub(super) fn is(document: &Json) -> bool {
    metrics(document).is_some_and(|found| found.keys().any(|name| find(name).is_some()))
}

/// Every metric that the catalogue knows, in its own unit. Others are left out: they judge nothing.
pub(super) fn values(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let document: Json = serde_json::from_slice(bytes).map_err(|error| Error::NotJson(error.to_string()))?;
    let bad = || Error::NotTheFormat { reader: "ga4gh_wgs_qc".into(), reason: "it is not an object of metrics".into() };
    let mut found = Vec::new();
    for (name, given) in metrics(&document).ok_or_else(bad)? {
        let Some(metric) = find(name) else { continue };
        let number = given.as_f64().or_else(|| given.as_str()?.trim().parse().ok());
        found.push(super::value(metric.id, number, metric.unit, "ga4gh_wgs_qc"));
    }
    Ok(found)
}
