//! Hand-offs as everybody sees them: what, to whom, how far.

use serde::{Deserialize, Serialize};

use super::{Page, document, time};
use crate::id::{DeliveryId, RunId, StepKey};
use crate::port::courier::Parcel;
use crate::store::Error;
use crate::store::read::{DeliveryFilter, Reader};
use crate::store::rows;

/// One hand-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// Of this run.
    pub run: RunId,
    /// By this step.
    pub step: StepKey,
    /// Of this specimen.
    pub specimen: String,
    /// To this target.
    pub target: String,
    /// `packaging` or `delivered`.
    pub status: String,
    /// Digest over specimen, target and files: the same content to the same target is the same.
    pub content: String,
    /// In the order of their names.
    pub files: Vec<DeliveredFile>,
    /// Where the package lies, once it does.
    pub place: Option<String>,
    /// Lowercase hex SHA-256 of the package's manifest, once it is there.
    pub manifest_sha256: Option<String>,
    /// When it was begun.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredFile {
    /// Name in the package.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Lowercase hex of the plain bytes.
    pub sha256: String,
}

impl DeliveryView {
    pub(super) fn of(row: &rows::Delivery) -> Result<Self, Error> {
        let parcel: Parcel = document("a parcel", &row.parcel)?;
        let file = |file: crate::port::courier::ParcelFile| DeliveredFile {
            name: file.name,
            size: file.size,
            sha256: file.sha256,
        };
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Self {
            id: row.delivery_id.clone(),
            run: row.run_id.clone(),
            step: row.step_key.clone(),
            specimen: row.specimen_id.clone(),
            target: row.target.clone(),
            status: row.status.clone(),
            content: row.content.clone(),
            files: parcel.files.into_iter().map(file).collect(),
            place: told(&row.place),
            manifest_sha256: told(&row.manifest_sha256),
            created: time(row.created_us),
            updated: time(row.updated_us),
        })
    }
}

/// Hand-offs, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn deliveries(reader: &Reader, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, Error> {
    let rows = reader.deliveries_page(filter).await?;
    let views = rows.iter().map(DeliveryView::of).collect::<Result<_, _>>()?;
    Ok(Page::new(views, filter.limit, |delivery: &DeliveryView| delivery.id.to_string()))
}

/// One hand-off.
///
/// # Errors
/// When the database cannot be read.
pub async fn delivery(reader: &Reader, id: &str) -> Result<Option<DeliveryView>, Error> {
    reader.delivery(id).await?.as_ref().map(DeliveryView::of).transpose()
}
