//! The center's records as they are stored: one typed document each. A promise; a new field has a default.
//!
//! What identifies a record, whose it is and where it stands lies in columns beside the document, for the lists; nothing is
//! written twice.

mod delivery;
mod lab;
mod notice;
mod retirement;
mod withdrawal;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::delivery::{Archive, Delivery, FileState, IfLate, Received};
pub use self::lab::{
    Custody, Decision, Deviation, InstrumentRun, LaneLibrary, Library, Transfer, TransferItem, WorkRequest,
};
pub use self::notice::{Letter, LetterState, Notice, is_of_withdrawal};
pub use self::retirement::{Fate, RetiredFile, Retirement, Signed};
pub use self::withdrawal::{Case, CaseItem, Certificate};

use crate::clock::Micros;
use crate::state::words;

words!(
    /// What a record is.
    Kind {
        /// A hospital, a data center, a biobank.
        Institution = "institution",
        /// What specimens are sequenced for.
        Program = "program",
        /// What is ordered: reads, criteria, workflow, targets. One record per version.
        Assay = "assay",
        /// What an institution sent in one parcel.
        Shipment = "shipment",
        /// One tube of a shipment.
        Item = "item",
        /// Material taken from a participant.
        Specimen = "specimen",
        /// What a participant agreed to. Appended, never changed.
        Consent = "consent",
        /// A prepared specimen.
        Library = "library",
        /// The sequencer's work.
        InstrumentRun = "instrument_run",
        /// One library (or specimen) on one lane.
        LaneLibrary = "lane_library",
        /// A wish to the bench: top-up, re-prep, new material.
        WorkRequest = "work_request",
        /// Something that was not as it should be.
        Deviation = "deviation",
        /// A leftover's way to the biobank.
        Custody = "custody",
        /// Leftovers that go to a biobank together.
        Transfer = "transfer",
        /// What a receiver was offered, or given.
        Delivery = "delivery",
        /// The end of a delivery's copies here.
        Retirement = "retirement",
        /// A withdrawal.
        Case = "case",
        /// One thing that a withdrawal is about.
        CaseItem = "case_item",
        /// A message to somebody outside.
        Notice = "notice",
        /// What was decided about quality. Appended.
        Decision = "decision",
        /// Values against criteria, as they stood.
        Evaluation = "evaluation",
        /// Who may sign in.
        Person = "person",
        /// An account elsewhere that signs somebody in.
        Identity = "identity",
        /// A service's key.
        Token = "token",
        /// Somebody is signed in.
        Session = "session",
        /// Work that starts by the clock.
        Schedule = "schedule",
        /// Whether an executor of the site gets new work.
        Executor = "executor",
        /// The chain's newest signed state.
        Checkpoint = "checkpoint",
        /// What one person proposed and another must confirm.
        Proposal = "proposal",
    }
);

/// A hospital, a data center, a biobank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Institution {
    /// In people's words.
    pub name: String,
    /// `sender`, `data_center`, `biobank`.
    pub role: String,
    /// Whom to write to.
    #[serde(default)]
    pub contact: String,
}

/// What specimens are sequenced for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// In people's words.
    pub name: String,
    /// Consent documents that count, `id` or `id@version`; empty: any.
    #[serde(default)]
    pub consent_documents: Vec<String>,
}

/// A version of what is ordered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assay {
    /// Registered workflow that makes the data; empty: none is started.
    #[serde(default)]
    pub workflow: String,
    /// Parameters of its runs.
    #[serde(default)]
    pub params: std::collections::BTreeMap<String, String>,
    /// Reads ordered per specimen; zero: not counted.
    #[serde(default)]
    pub reads_ordered: u64,
    /// Percent of the ordered reads that are enough.
    #[serde(default = "hundred")]
    pub reads_percent: f64,
    /// Use that consent must cover before anything is done.
    #[serde(default = "sequencing")]
    pub consent_use: String,
    /// Criteria on measured values.
    #[serde(default)]
    pub criteria: Option<crate::qc::criteria::Criteria>,
    /// Days for each gate.
    #[serde(default)]
    pub targets: crate::specimen::expectation::Targets,
    /// Every member of a family must be here before one is analyzed.
    #[serde(default)]
    pub family: bool,
    /// A sex that does not match is only a warning (transplants, tumors).
    #[serde(default)]
    pub sex_mismatch_warns: bool,
    /// Depth of X and Y over the autosomes' that counts as a sex; empty: the usual ones.
    #[serde(default)]
    pub sex_rectangles: Vec<crate::qc::sex::Rectangle>,
    /// How much of a fingerprint must agree; none: the usual limits.
    #[serde(default)]
    pub identity_limits: Option<crate::qc::identity::Limits>,
}

fn hundred() -> f64 {
    100.0
}

fn sequencing() -> String {
    "sequencing".into()
}

/// What is known of a person beside the pseudonym.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// `male`, `female`, `other`, `unknown`.
    #[serde(default)]
    pub sex: String,
    /// Disease category.
    #[serde(default)]
    pub disease: String,
    /// Family.
    #[serde(default)]
    pub family: String,
    /// `proband`, `mother`, `father`, `sibling`.
    #[serde(default)]
    pub family_role: String,
    /// Case of withdrawal that is or was open.
    #[serde(default)]
    pub case: String,
}

/// What a participant agreed to, or took back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// Form.
    pub document: String,
    /// Its version.
    pub document_version: String,
    /// Uses that are covered: `sequencing`, `research_domestic` …
    pub scopes: Vec<String>,
    /// DUO codes.
    #[serde(default)]
    pub duo: Vec<String>,
    /// When it came into force.
    pub effective_us: Micros,
    /// When it ends, if it does.
    #[serde(default)]
    pub expires_us: Option<Micros>,
    /// Who wrote it down here.
    pub recorded_by: String,
    /// Where the form lies: never the form itself.
    #[serde(default)]
    pub evidence: String,
}

/// What an institution sent in one parcel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    /// Carrier's number.
    #[serde(default)]
    pub tracking: String,
    /// When it left.
    #[serde(default)]
    pub sent_us: Option<Micros>,
    /// When its first item was scanned.
    #[serde(default)]
    pub received_us: Option<Micros>,
    /// The last item was looked for.
    #[serde(default)]
    pub closed_us: Option<Micros>,
}

/// One tube of a shipment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Byte for byte.
    pub barcode: String,
    /// As it was scanned, when that differs.
    #[serde(default)]
    pub scanned: String,
    /// `good`, or what is wrong with it.
    #[serde(default)]
    pub condition: String,
    /// What becomes of it when it is rejected.
    #[serde(default)]
    pub disposition: String,
    /// In the receiver's words.
    #[serde(default)]
    pub note: String,
    /// When it was scanned.
    #[serde(default)]
    pub received_us: Option<Micros>,
    /// By whom.
    #[serde(default)]
    pub received_by: String,
}

/// Material taken from a participant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Specimen {
    /// Byte for byte as on the tube.
    pub barcode: String,
    /// Program whose pseudonym the participant has.
    pub program: String,
    /// `blood`, `saliva`, `dna`, `tissue` …
    #[serde(default)]
    pub specimen_type: String,
    /// Amount with its unit, as written: `2.5 mL`.
    #[serde(default)]
    pub amount: String,
    /// When it was taken.
    #[serde(default)]
    pub collected: String,
    /// Pre-analytical conditions (SPREC).
    #[serde(default)]
    pub sprec: String,
    /// The specimen that this one stands in for.
    #[serde(default)]
    pub replaces: String,
    /// Where the leftover is: a word of `state::custody`.
    #[serde(default)]
    pub custody: String,
    /// The transfer that the leftover went with, or goes with.
    #[serde(default)]
    pub transfer: String,
}

/// What is behind an order line beside its columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The institution's own number.
    #[serde(default)]
    pub requisition: String,
    /// Reads that count, of all rounds.
    #[serde(default)]
    pub reads: u64,
    /// Reads that are ordered.
    #[serde(default)]
    pub reads_ordered: u64,
    /// Reads that are enough.
    #[serde(default)]
    pub reads_needed: u64,
    /// A shortfall or mismatch that somebody let pass, with the decision's id.
    #[serde(default)]
    pub waived: String,
    /// The evaluation whose missed or missing values somebody let pass; a newer one is not covered.
    #[serde(default)]
    pub values_waived: String,
    /// Why it is where it is, in the words of whoever moved it.
    #[serde(default)]
    pub reason: String,
    /// When each stage was reached, of the newest round.
    #[serde(default)]
    pub since: std::collections::BTreeMap<String, Micros>,
    /// Time that does not count.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// Runs of earlier rounds.
    #[serde(default)]
    pub earlier_runs: Vec<String>,
    /// Start without the rest of the family: who decided it.
    #[serde(default)]
    pub singleton_by: String,
    /// Who decided a quality question of this round: they do not release it alone.
    #[serde(default)]
    pub decided_by: Vec<String>,
    /// The data center's word: is the clinical information there?
    #[serde(default)]
    pub clinical_information: String,
    /// The data center's word: was the report returned?
    #[serde(default)]
    pub report_return: String,
    /// The receiver's own id for what it took in.
    #[serde(default)]
    pub accession: String,
    /// The gate that holds the run, with its sentence.
    #[serde(default)]
    pub asked: Vec<String>,
}

/// Time that does not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// From.
    pub from_us: Micros,
    /// To; open while it lasts.
    #[serde(default)]
    pub to_us: Option<Micros>,
    /// Why.
    pub reason: String,
}

/// What is known of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Looked at until then.
    #[serde(default)]
    pub looked_us: Micros,
    /// Who let it rest or go on last; empty: nobody yet.
    #[serde(default)]
    pub moved_by: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What one person proposed and another must confirm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// What is to be done: the request, as it will be carried out.
    pub request: serde_json::Value,
    /// Who proposed it.
    pub proposed_by: String,
    /// Why.
    pub reason: String,
    /// Until when it holds.
    pub until_us: Micros,
}
