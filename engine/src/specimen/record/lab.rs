//! Records of the bench, the instruments and the shelf.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// A prepared specimen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Library {
    /// Kit and lot.
    #[serde(default)]
    pub kit: String,
    /// Index pair.
    #[serde(default)]
    pub index: String,
    /// Who made it.
    #[serde(default)]
    pub prepared_by: String,
}

/// The sequencer's work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstrumentRun {
    /// Name of the site's place that the folder is in.
    #[serde(default)]
    pub place: String,
    /// Folder's name.
    #[serde(default)]
    pub folder: String,
    /// Serial number.
    #[serde(default)]
    pub instrument: String,
    /// Barcode.
    #[serde(default)]
    pub flow_cell: String,
    /// What the watcher knows.
    #[serde(default)]
    pub watch: Option<crate::intake::folder::FolderState>,
    /// Why it is not taken in yet.
    #[serde(default)]
    pub waits: String,
    /// Sample ids of the sheet that no specimen has.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// One specimen's data on one lane. Two questions, answered separately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneLibrary {
    /// Lane, from 1.
    pub lane: u32,
    /// As the sample sheet names it.
    pub sample: String,
    /// Reads of this lane (pairs count twice, as the order counts).
    pub reads: u64,
    /// Does it count toward the order?
    pub counts_toward_order: bool,
    /// May a workflow use it?
    pub use_downstream: bool,
    /// Who answered; a rule's name, or a person.
    pub decided_by: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// FASTQ files: (mate, absolute path).
    #[serde(default)]
    pub files: Vec<(u32, String)>,
}

/// A wish to the bench.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkRequest {
    /// `top_up`, `re_prep`, `re_extract`, `new_material`.
    pub wish: String,
    /// Order line.
    pub order_line: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// Reads that are missing.
    #[serde(default)]
    pub reads_missing: u64,
    /// What answered it.
    #[serde(default)]
    pub fulfilled_by: String,
}

/// What a person decided about quality. Never edited: a later one of the same question supersedes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// `order_line O…`
    pub subject: String,
    /// Where it stood: the question.
    pub stage: String,
    /// In which round.
    pub round: i64,
    /// `top_up`, `re_prep`, `re_extract`, `new_material`, `release`, `give_up`.
    pub way: String,
    /// Reason code; may be empty.
    #[serde(default)]
    pub code: String,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub person: String,
    /// By which role.
    pub role: String,
    /// When.
    pub at_us: Micros,
    /// Reads that counted then.
    #[serde(default)]
    pub reads: u64,
    /// Reads that were ordered.
    #[serde(default)]
    pub reads_ordered: u64,
    /// The evaluation that it was about; empty when nothing was measured.
    #[serde(default)]
    pub evaluation: String,
    /// The decision of the same question that it stands in for.
    #[serde(default)]
    pub supersedes: Option<String>,
}

/// Something that was not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// What it is about, `kind id`.
    pub about: String,
    /// In words.
    pub description: String,
    /// `minor`, `major`, `critical`.
    pub severity: String,
    /// Corrective action.
    #[serde(default)]
    pub action: String,
    /// Who closed it.
    #[serde(default)]
    pub closed_by: String,
}

/// A leftover's way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Custody {
    /// Who has it.
    pub holder: String,
    /// Transfer manifest.
    #[serde(default)]
    pub transfer: String,
    /// The biobank's own number.
    #[serde(default)]
    pub accession: String,
    /// The receipt's reference.
    #[serde(default)]
    pub receipt: String,
}

/// Leftovers that go to a biobank together: what is in the parcel, and what the biobank answered. The record's id is its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// To whom.
    pub to: String,
    /// By specimen.
    #[serde(default)]
    pub items: BTreeMap<String, TransferItem>,
}

/// One leftover of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransferItem {
    /// As on the tube.
    pub barcode: String,
    /// `blood`, `dna` …
    #[serde(default)]
    pub specimen_type: String,
    /// As written when it came.
    #[serde(default)]
    pub amount: String,
    /// When it was put in.
    pub packed_us: Micros,
    /// When a courier took it.
    #[serde(default)]
    pub handed_over_us: Option<Micros>,
    /// When its way ended.
    #[serde(default)]
    pub ended_us: Option<Micros>,
    /// How: `arrived`, `returned`, `lost`.
    #[serde(default)]
    pub how: String,
    /// The biobank's own number.
    #[serde(default)]
    pub accession: String,
    /// The receipt's reference.
    #[serde(default)]
    pub receipt: String,
}
