//! What can be asked of the center: the API's own objects. A promise; a new field has a default.

use serde::{Deserialize, Serialize};

use crate::audit::checkpoint::{Checkpoint, Stand};
use crate::clock::Micros;
use crate::people::permission::Action;
use crate::people::secret::Hidden;
use crate::specimen::import::{Problem, Row, Table};
use crate::specimen::record::Assay;

/// A request about the center's records.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Takes a table in: all of it or nothing.
    Import {
        /// What it is about.
        table: Table,
        /// Its rows.
        rows: Vec<Row>,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
        /// File's name, for the record.
        #[serde(default)]
        source: String,
        /// Whose shipment, participants or libraries these are: an institution's code.
        #[serde(default)]
        institution: String,
    },
    /// A new version of an assay; the same again changes nothing.
    Assay {
        /// Name.
        name: String,
        /// Version.
        version: String,
        /// What it is.
        assay: Box<Assay>,
    },
    /// A tube was scanned.
    Receive {
        /// As it was scanned.
        barcode: String,
        /// Whose; empty when only one institution has such a barcode.
        #[serde(default)]
        institution: String,
        /// `good`, or a condition code.
        #[serde(default)]
        condition: String,
        /// In the receiver's words.
        #[serde(default)]
        note: String,
    },
    /// A tube is not accepted.
    Reject {
        /// As it was scanned.
        barcode: String,
        /// Whose.
        #[serde(default)]
        institution: String,
        /// What is wrong with it.
        condition: String,
        /// What becomes of it: `return`, `destroy`, `keep`.
        disposition: String,
        /// In the receiver's words.
        #[serde(default)]
        note: String,
    },
    /// Everything of a shipment was scanned: the rest is missing.
    CloseShipment {
        /// Shipment.
        shipment: String,
    },
    /// The specimen's identity was matched with its order.
    Accession {
        /// Specimen.
        specimen: String,
    },
    /// A stage that people or a LIMS report: `lab_started`, `sequencing_started`, `sequenced`, `archived`, `recalled` …
    Report {
        /// Order line.
        order_line: String,
        /// The event's word.
        event: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// Pauses an order line.
    Hold {
        /// Order line.
        order_line: String,
        /// Why.
        reason: String,
    },
    /// Lets it go on.
    Resume {
        /// Order line.
        order_line: String,
    },
    /// Ends an order line.
    Cancel {
        /// Order line.
        order_line: String,
        /// Why.
        reason: String,
    },
    /// Opens an ended order line again; a second person confirms.
    Reopen {
        /// Order line.
        order_line: String,
        /// Why.
        reason: String,
    },
    /// Do not wait for the rest of the family.
    Singleton {
        /// Order line.
        order_line: String,
        /// Why.
        reason: String,
    },
    /// The two questions about a lane.
    Lane {
        /// Lane-library.
        lane_library: String,
        /// Does it count toward the order?
        counts: bool,
        /// May a workflow use it?
        r#use: bool,
        /// Why.
        reason: String,
    },
    /// A way out of a quality question: `top_up`, `re_prep`, `re_extract`, `new_material`, `release`, `give_up`.
    Decide {
        /// Order line.
        order_line: String,
        /// Way out.
        way: String,
        /// Code of the reason.
        #[serde(default)]
        code: String,
        /// In words.
        reason: String,
    },
    /// Values that were measured elsewhere.
    Measured {
        /// Order line.
        order_line: String,
        /// Values with units.
        values: Vec<crate::qc::verdict::Value>,
    },
    /// A participant's consent.
    Consent {
        /// Program.
        program: String,
        /// Pseudonym.
        pseudonym: String,
        /// What was agreed to.
        consent: crate::specimen::record::Consent,
        /// `given`, `partial`, `refused`.
        status: String,
    },
    /// A participant takes consent back.
    Withdraw {
        /// Program.
        program: String,
        /// Pseudonym.
        pseudonym: String,
        /// Uses that are taken back; empty: all.
        #[serde(default)]
        scopes: Vec<String>,
        /// Where the notice lies.
        evidence: String,
        /// When the participant said so; absent: now.
        #[serde(default)]
        noticed_us: Option<Micros>,
    },
    /// What becomes of a thing of a withdrawal.
    CaseDecide {
        /// Item.
        item: String,
        /// `destroy`, `keep`, `stub`.
        decision: String,
        /// Ethics reference, for what is kept.
        #[serde(default)]
        reference: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// The second person's yes; what is to be destroyed is destroyed now.
    CaseConfirm {
        /// Item.
        item: String,
    },
    /// Somebody outside answered a notice.
    NoticeAnswered {
        /// Notice.
        notice: String,
        /// Reference of the answer.
        receipt: String,
    },
    /// Everything of a withdrawal is done.
    CaseClose {
        /// Case.
        case: String,
    },
    /// A leftover moves: `packed`, `handed_over`, `arrived`, `destroyed`, `returned`, `exhausted`, `lost`.
    Custody {
        /// Specimen.
        specimen: String,
        /// The event's word.
        event: String,
        /// Who has it now.
        #[serde(default)]
        holder: String,
        /// Transfer manifest.
        #[serde(default)]
        transfer: String,
        /// The biobank's own number.
        #[serde(default)]
        accession: String,
        /// The receipt's reference.
        #[serde(default)]
        receipt: String,
    },
    /// Something was not as it should be.
    Deviation {
        /// Specimen that it reaches, if any.
        #[serde(default)]
        specimen: String,
        /// What it is about.
        about: String,
        /// In words.
        description: String,
        /// `minor`, `major`, `critical`.
        severity: String,
    },
    /// A deviation is dealt with.
    DeviationClose {
        /// Deviation.
        deviation: String,
        /// Corrective action.
        action: String,
    },
    /// The data center's word about what only it knows.
    External {
        /// Order line.
        order_line: String,
        /// Clinical information: `missing`, `partial`, `complete`.
        #[serde(default)]
        clinical_information: String,
        /// Report: `pending`, `returned`.
        #[serde(default)]
        report_return: String,
        /// The receiver's own id.
        #[serde(default)]
        accession: String,
    },
    /// The second person's yes to what another proposed.
    Confirm {
        /// Proposal.
        proposal: String,
    },
    /// What is known of a schedule: until when it was looked at, whether it rests.
    Schedule {
        /// `workflow@version/1`
        schedule: String,
        /// Looked at until then.
        #[serde(default)]
        looked_us: Option<Micros>,
        /// It rests, or goes on.
        #[serde(default)]
        paused: Option<bool>,
    },
    /// Nothing new starts anywhere.
    StopAll {
        /// Why.
        reason: String,
    },
    /// Things may start again.
    ResumeAll,
    /// Somebody new, or a service.
    AddPerson {
        /// Name, as the audit log will show it.
        name: String,
        /// A program, not somebody.
        #[serde(default)]
        service: bool,
        /// Roles.
        roles: Vec<String>,
        /// Their institution, when they are not of the center.
        #[serde(default)]
        institution: Option<String>,
        /// Their data center.
        #[serde(default)]
        data_center: Option<String>,
    },
    /// Other roles than before.
    SetRoles {
        /// Name.
        name: String,
        /// All their roles from now on.
        roles: Vec<String>,
    },
    /// A new password; whoever is signed in with the old one is signed out.
    SetPassword {
        /// Name.
        name: String,
        /// The password. It never reaches the loop.
        password: Hidden,
        /// Its hash, made at the door.
        #[serde(skip)]
        hash: Hidden,
    },
    /// A new key for one-time codes; it is answered once.
    SetTotp {
        /// Name.
        name: String,
        /// The key, made at the door.
        #[serde(skip)]
        key: Hidden,
    },
    /// They may do nothing any more: neither sign in, nor with a token.
    DisablePerson {
        /// Name.
        name: String,
    },
    /// A new token; its secret is answered once.
    NewToken {
        /// The service that it is for, or oneself.
        owner: String,
        /// What it is for.
        #[serde(default)]
        label: String,
        /// What it may do at most: words of actions; empty: whatever its owner may.
        #[serde(default)]
        scopes: Vec<String>,
        /// Until when it counts.
        #[serde(default)]
        expires_us: Option<Micros>,
        /// Its id and the hash of its secret, made at the door.
        #[serde(skip)]
        made: (String, String),
    },
    /// A token counts no more.
    RevokeToken {
        /// Token.
        token: String,
    },
    /// Somebody reads the audit log: that is an event too.
    AuditRead {
        /// What of it.
        what: String,
    },
    /// The last line of an export of the audit log, signed.
    AuditSign {
        /// What it is about.
        stand: Stand,
    },
    /// Sign how the audit log stands.
    Checkpoint,
    /// Somebody gave name, password and code; only the door asks this.
    #[serde(skip)]
    SignIn(super::people::SignIn),
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// In one sentence.
    pub said: String,
    /// Records that were made or moved, `kind id`.
    #[serde(default)]
    pub changed: Vec<String>,
    /// Records that were there already as they were asked for.
    #[serde(default)]
    pub unchanged: usize,
    /// Only said, not done.
    #[serde(default)]
    pub dry_run: bool,
    /// A second person has to confirm this proposal before anything happens.
    #[serde(default)]
    pub proposal: Option<String>,
    /// Things that somebody should look at.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Rows that are wrong; then nothing was taken.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// What is told this once and never again: a token, a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Hidden>,
    /// What was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Checkpoint>,
}

impl Request {
    /// Is it about one thing that may be somebody's?
    #[must_use]
    pub fn names_a_thing(&self) -> bool {
        !matches!(
            self,
            Self::Import { .. }
                | Self::Assay { .. }
                | Self::Receive { .. }
                | Self::Reject { .. }
                | Self::StopAll { .. }
                | Self::ResumeAll
                | Self::AddPerson { .. }
                | Self::SetRoles { .. }
                | Self::SetPassword { .. }
                | Self::SetTotp { .. }
                | Self::DisablePerson { .. }
                | Self::NewToken { .. }
                | Self::RevokeToken { .. }
                | Self::AuditRead { .. }
                | Self::AuditSign { .. }
                | Self::Checkpoint
                | Self::SignIn(_)
        )
    }

    /// What it needs to be allowed.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Import { table: Table::Consents, .. } | Self::Consent { .. } => Action::RecordConsent,
            Self::Import { .. } => Action::Import,
            Self::Assay { .. } => Action::Configure,
            Self::Receive { .. } | Self::Reject { .. } | Self::CloseShipment { .. } | Self::Accession { .. } => {
                Action::Receive
            }
            Self::Report { .. } | Self::Singleton { .. } | Self::External { .. } => Action::ReportStage,
            Self::Hold { .. } => Action::Hold,
            Self::Resume { .. } => Action::Resume,
            Self::Cancel { .. } => Action::Cancel,
            Self::Reopen { .. } => Action::Reopen,
            Self::Lane { .. } | Self::Decide { .. } => Action::QcDecide,
            Self::Measured { .. } => Action::QcImport,
            Self::Withdraw { .. } | Self::NoticeAnswered { .. } | Self::CaseClose { .. } => Action::Withdraw,
            Self::CaseDecide { .. } | Self::CaseConfirm { .. } => Action::WithdrawalDecide,
            Self::Custody { .. } => Action::Custody,
            Self::Deviation { .. } | Self::DeviationClose { .. } => Action::Deviation,
            // The proposal's own action is looked at when it is carried out.
            Self::Confirm { .. } => Action::Confirm,
            Self::Schedule { .. } => Action::Schedule,
            Self::StopAll { .. } | Self::ResumeAll => Action::StopAll,
            Self::AddPerson { .. }
            | Self::SetRoles { .. }
            | Self::SetPassword { .. }
            | Self::SetTotp { .. }
            | Self::DisablePerson { .. }
            | Self::NewToken { .. }
            | Self::RevokeToken { .. } => Action::ManagePeople,
            Self::AuditRead { .. } | Self::AuditSign { .. } | Self::Checkpoint => Action::ReadAudit,
            Self::SignIn(_) => Action::ReadSelf,
        }
    }
}
