//! `qc.json`: what was measured of the specimen, what it was held to, and who decided what about it. It judges nothing.
//!
//! A promise: fields are only added, and a reader passes over those that it does not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::delivery::{Unreadable, readable, written};
use crate::qc::verdict::Value;
use crate::store::rows::detail::GateReport;

/// Its name within `data/`.
pub const NAME: &str = "qc.json";
/// Name of the values as MultiQC's custom content within `data/`.
pub const MULTIQC_NAME: &str = "qc_mqc.json";
/// Version of the format.
const VERSION: u32 = 1;

/// Quality of one delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// Version of the format; [`Document::write`] sets it.
    pub kentai_qc: u32,
    /// Delivery.
    pub delivery: String,
    /// Specimen.
    pub specimen: String,
    /// Every value, with the tool that measured it.
    pub values: Vec<Value>,
    /// Values against criteria.
    pub quality: Vec<Quality>,
    /// What people said, oldest first.
    pub decisions: Vec<Decision>,
}

/// Values against criteria, as they stood when they were judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The gate's key; empty when an assay's criteria judged the order line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// Criteria set and version, `wgs@3`; empty for a gate, whose criteria are the workflow version's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub criteria: String,
    /// The verdict and each check with its limits.
    pub report: GateReport,
    /// What values say of whose they are, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// Who decided what, about which step or question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The step's key; empty when it was about the order line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// `qc`, `approve`, `hold` …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What was said.
    pub decision: Said,
}

/// One person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who.
    pub person: String,
    /// By which roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Microseconds since the epoch.
    pub at_us: i64,
}

impl Document {
    /// Its bytes.
    #[must_use]
    pub fn write(&self) -> String {
        written(&Self { kentai_qc: VERSION, ..self.clone() })
    }

    /// What such bytes say; fields of later versions are passed over.
    ///
    /// # Errors
    /// When it is no such document, or of a version that says other things by the same names.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let document: Self = readable(text)?;
        if document.kentai_qc == VERSION { Ok(document) } else { Err(Unreadable::Version(document.kentai_qc)) }
    }

    /// The numbers as columns of MultiQC's own table (<https://docs.seqera.io/multiqc/custom_content>), in the order of their names.
    #[must_use]
    pub fn multiqc(&self) -> String {
        let cells: BTreeMap<&str, f64> =
            self.values.iter().filter_map(|value| Some((value.metric.as_str(), value.value?))).collect();
        let column = |value: &Value| json!({ (value.metric.clone()): { "suffix": format!(" {}", value.unit.word()) } });
        let measured = self.values.iter().filter(|value| value.value.is_some());
        // MultiQC puts texts into its page as they are.
        let specimen = self.specimen.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        written(&json!({
            "id": "kentai_qc",
            "section_name": "Delivery",
            "plot_type": "generalstats",
            "pconfig": measured.map(column).collect::<Vec<_>>(),
            "data": { specimen: cells },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qc::metric::Unit;

    fn document() -> Document {
        let value = Value {
            metric: "mean_autosome_coverage".into(),
            value: Some(31.5),
            unit: Unit::Depth,
            tool: "mosdepth".into(),
            tool_version: "0.3.8".into(),
            source_sha256: String::new(),
        };
        Document { delivery: "d1".into(), specimen: "<S1>".into(), values: vec![value], ..Document::default() }
    }

    #[test]
    fn what_is_written_is_read() {
        let read = Document::read(&document().write()).expect("a document");
        assert_eq!(read, Document { kentai_qc: 1, ..document() });
    }

    #[test]
    fn a_reader_passes_over_what_a_later_writer_adds_and_refuses_what_means_something_else() {
        let more = document().write().replacen('{', "{ \"later\": [1],", 1);
        assert!(Document::read(&more).is_ok());
        let other = document().write().replace("\"kentai_qc\": 1", "\"kentai_qc\": 2");
        assert!(matches!(Document::read(&other), Err(Unreadable::Version(2))));
        assert!(matches!(Document::read("{}"), Err(Unreadable::Version(0))));
    }

    #[test]
    fn multiqc_gets_numbers_and_no_markup() {
        let content: serde_json::Value = serde_json::from_str(&document().multiqc()).expect("JSON");
        assert_eq!(content["data"]["&lt;S1&gt;"]["mean_autosome_coverage"], 31.5);
    }
}
