//! What a package says beyond its parcel: the order line and its assay, deviations, measured values, the workflow's text.

use super::Work;
use crate::handoff::delivery::{Assay, Deviation, Document};
use crate::qc::verdict::{Evaluation, Value};
use crate::specimen::record::{self, Kind};
use crate::store::Error;
use crate::store::read::Reader;
use crate::store::rows;

/// See the module.
pub(super) struct More {
    /// Values that were brought for the order line, as its newest evaluation has them.
    pub(super) values: Vec<Value>,
    order_line: Option<rows::center::OrderLine>,
    deviations: Vec<Deviation>,
    consent_version: Option<String>,
}

impl More {
    pub(super) async fn read(work: &Work, reader: &Reader) -> Result<Self, Error> {
        let missing = || Error::Unknown { what: "a run", found: work.run.to_string() };
        let run = reader.run(work.run.as_str()).await?.ok_or_else(missing)?;
        let order_line = match run.order_line_id.as_str() {
            "" => None,
            id => reader.order_line(id).await?,
        };
        let mut values = Vec::new();
        if let Some(order) = &order_line {
            let evaluations = reader.records_of(Kind::Evaluation.word(), &order.order_line_id).await?;
            let newest = evaluations.iter().max_by_key(|row| (row.created_us, row.record_id.clone()));
            values =
                newest.map(|row| document::<Evaluation>(&row.document)).transpose()?.map_or(values, |one| one.values);
        }
        let consent = reader.records_of(Kind::Consent.word(), &run.participant_id).await?;
        let consents = consent.iter().map(|row| document::<record::Consent>(&row.document));
        let consents = consents.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            values,
            order_line,
            deviations: deviations(reader, &run.specimen_id).await?,
            consent_version: newest_form(&consents),
        })
    }

    /// Adds it to the document.
    pub(super) fn fill(&self, document: &mut Document) {
        document.deviations.clone_from(&self.deviations);
        if let Some(order) = &self.order_line {
            document.order_line = Some(order.order_line_id.clone());
            document.assay = Some(Assay { id: order.assay.clone(), version: order.assay_version.clone() });
        }
        if let Some(consent) = &mut document.consent {
            consent.version.clone_from(&self.consent_version);
        }
    }
}

async fn deviations(reader: &Reader, specimen: &str) -> Result<Vec<Deviation>, Error> {
    let mut found = Vec::new();
    for row in reader.records_about(specimen).await? {
        if row.kind == Kind::Deviation.word() {
            let record::Deviation { description, severity, action, closed_by, .. } = document(&row.document)?;
            let closed = !closed_by.is_empty();
            found.push(Deviation { id: row.record_id, severity, description, action, closed });
        }
    }
    Ok(found)
}

fn newest_form(consents: &[record::Consent]) -> Option<String> {
    let newest = consents.iter().max_by_key(|consent| consent.effective_us)?;
    Some(newest.document_version.clone()).filter(|version| !version.is_empty())
}

fn document<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Unknown { what: "a record", found: error.to_string() })
}
