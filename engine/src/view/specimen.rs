//! Specimens as everybody sees them: what their sheet said, and what became of them.

use kentai_workflows::plan::{Consent, Priority, Specimen};
use kentai_workflows::value::Map;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeliveryView, Page, RunView, document, time};
use crate::store::Error;
use crate::store::read::{DeliveryFilter, Reader, RunFilter};
use crate::store::rows;

/// Runs and hand-offs that come with one specimen.
const SHOWN: i64 = 1_000;

/// One specimen, as the last sheet said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecimenView {
    /// Its name.
    pub id: String,
    /// Pseudonym.
    pub participant: Option<String>,
    /// Byte for byte as on the tube.
    pub barcode: Option<String>,
    /// Consent as the sheet names it.
    pub consent: Option<Consent>,
    /// Priority class.
    pub priority: Priority,
    /// Fields and inputs by name.
    pub values: Map,
    /// Where it came from.
    pub source: String,
    /// When it was first named.
    pub created: String,
    /// When a sheet last named it.
    pub updated: String,
}

/// One specimen with its runs and hand-offs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecimenDetail {
    /// The specimen.
    pub specimen: SpecimenView,
    /// Its runs.
    pub runs: Vec<RunView>,
    /// Its hand-offs.
    pub deliveries: Vec<DeliveryView>,
}

impl SpecimenView {
    fn of(row: &rows::Specimen) -> Result<Self, Error> {
        let told: Specimen = document("a specimen", &row.document)?;
        Ok(Self {
            id: row.specimen_id.clone(),
            participant: told.participant,
            barcode: told.barcode,
            consent: told.consent,
            priority: told.priority,
            values: told.values,
            source: row.source.clone(),
            created: time(row.created_us),
            updated: time(row.updated_us),
        })
    }
}

/// Specimens after the one named `after`, by id.
///
/// # Errors
/// When the database cannot be read.
pub async fn specimens(reader: &Reader, after: Option<&str>, limit: i64) -> Result<Page<SpecimenView>, Error> {
    let rows = reader.specimens_page(after, limit).await?;
    let views = rows.iter().map(SpecimenView::of).collect::<Result<_, _>>()?;
    Ok(Page::new(views, limit, |specimen: &SpecimenView| specimen.id.clone()))
}

/// One specimen with everything about it.
///
/// # Errors
/// When the database cannot be read.
pub async fn specimen(reader: &Reader, id: &str) -> Result<Option<SpecimenDetail>, Error> {
    let Some(row) = reader.specimen(id).await? else { return Ok(None) };
    let runs = RunFilter { specimen: Some(id.to_owned()), limit: SHOWN, ..RunFilter::default() };
    let deliveries = DeliveryFilter { specimen: Some(id.to_owned()), limit: SHOWN, ..DeliveryFilter::default() };
    Ok(Some(SpecimenDetail {
        specimen: SpecimenView::of(&row)?,
        runs: super::runs(reader, &runs).await?.items,
        deliveries: super::deliveries(reader, &deliveries).await?.items,
    }))
}
