//! Hand-offs as everybody sees them: what, to whom, how far.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, document, time};
use crate::id::{DeliveryId, RunId, StepKey};
use crate::port::courier::Parcel;
use crate::specimen::record::{self, FileState, Kind};
use crate::store::Error;
use crate::store::read::{DeliveryFilter, Reader};
use crate::store::rows;

/// One hand-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// `packaging` or `carrying`; then what docs/state-machines.md has for a delivery.
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
    /// Until when it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Until when a receipt is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_due: Option<String>,
    /// The delivery whose place it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the receiver said of each file of the package, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, FileState>,
    /// Receipts by the receiver's own ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<String, ReceiptView>,
    /// Copies of ours elsewhere. For people of the center.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<ArchiveView>,
    /// How the copies here ended. For people of the center.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<RetirementView>,
}

/// A copy of ours in an archive, as somebody wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveView {
    /// Where it lies.
    pub place: String,
    /// Who says so.
    pub by: String,
    /// When they said it.
    pub at: String,
    /// What else they said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How the copies of a delivery ended here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetirementView {
    /// Its id.
    pub id: String,
    /// `confirmed`: the bytes are being destroyed; `done`.
    pub status: String,
    /// Why.
    pub reason: String,
    /// Who proposed.
    pub proposed_by: String,
    /// Who confirmed.
    pub confirmed_by: String,
    /// When.
    pub at: String,
    /// What became of each file.
    pub files: Vec<record::RetiredFile>,
    /// The proof, once it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<record::Signed>,
}

impl RetirementView {
    fn of(row: &rows::center::Record) -> Result<Self, Error> {
        let doc: record::Retirement = document("a retirement", &row.document)?;
        Ok(Self {
            id: row.record_id.clone(),
            status: row.status.clone(),
            reason: doc.reason,
            proposed_by: doc.proposed_by,
            confirmed_by: doc.confirmed_by,
            at: time(row.created_us),
            files: doc.files,
            certificate: doc.certificate,
        })
    }
}

/// A receipt that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptView {
    /// When it came.
    pub at: String,
    /// Who brought it.
    pub by: String,
    /// SHA-256 of what it says.
    pub sha256: String,
    /// The receiver's key, when it was signed.
    pub signed_by: Option<String>,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
            expires: None,
            receipt_due: None,
            supersedes: None,
            reason: None,
            answers: BTreeMap::new(),
            receipts: BTreeMap::new(),
            archives: Vec::new(),
            retirement: None,
        })
    }

    /// As its receiver is shown it: where our copies lie, and who let them go, is the center's own.
    #[must_use]
    pub fn for_receiver(self) -> Self {
        Self { archives: Vec::new(), retirement: None, ..self }
    }

    /// With what the receiver said.
    fn with(self, record: &rows::center::Record) -> Result<Self, Error> {
        let doc: record::Delivery = document("a delivery", &record.document)?;
        let told = |text: String| Some(text).filter(|text| !text.is_empty());
        let archive = |kept: record::Archive| {
            let record::Archive { place, by, at_us, note } = kept;
            ArchiveView { place, by, at: time(at_us), note }
        };
        let receipt = |kept: record::Received| ReceiptView {
            at: time(kept.at_us),
            by: kept.by,
            sha256: kept.digest,
            signed_by: told(kept.signed_by),
        };
        Ok(Self {
            status: record.status.clone(),
            updated: time(record.updated_us),
            expires: doc.expires_us.map(time),
            receipt_due: doc.receipt_due_us.map(time),
            supersedes: told(doc.supersedes),
            reason: told(doc.reason),
            answers: doc.files,
            archives: doc.archives.into_iter().map(archive).collect(),
            receipts: doc.receipts.into_iter().map(|(id, kept)| (id, receipt(kept))).collect(),
            ..self
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
    let Some(row) = reader.delivery(id).await? else { return Ok(None) };
    let view = DeliveryView::of(&row)?;
    match reader.record(Kind::Delivery.word(), id).await? {
        Some(record) => {
            let ends = reader.records_of(Kind::Retirement.word(), id).await?;
            let retirement = ends.last().map(RetirementView::of).transpose()?;
            Ok(Some(DeliveryView { retirement, ..view.with(&record)? }))
        }
        None => Ok(Some(view)),
    }
}
