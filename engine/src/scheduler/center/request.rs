//! What can be asked of the center: the API's own objects. A promise; a new field has a default.

mod answer;
mod rights;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::answer::Answer;

use crate::audit::checkpoint::Stand;
use crate::clock::Micros;
use crate::handoff::receipt::Receipt;
use crate::people::secret::Hidden;
use crate::specimen::import::{Row, Table};
use crate::specimen::record::Assay;

/// A request about the center's records.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
        /// What they said of it; they owe nobody a reason.
        #[serde(default)]
        reason: String,
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
    /// Puts a notice on its way again.
    NoticeAgain {
        /// Notice.
        notice: String,
    },
    /// A notice that says nothing, to whoever subscribed.
    NoticeTest {
        /// Whom it is for: a key of `notices:`.
        to: String,
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
    /// The receiver's word about a delivery's files.
    Receipt {
        /// Delivery.
        delivery: String,
        /// What they say; parsed and looked at by the door.
        receipt: Receipt,
    },
    /// Something that was brought as a receipt, and is none.
    #[serde(skip)]
    ReceiptRefused {
        /// Delivery.
        delivery: String,
        /// Why it is none.
        why: String,
    },
    /// Bytes went to the receiver: the first of a delivery, or the last of a file. Only the server that sent them says so.
    #[serde(skip)]
    Fetched {
        /// Delivery.
        delivery: String,
        /// Path in the package.
        path: String,
        /// Every byte of it was sent.
        whole: bool,
    },
    /// A delivery is called back.
    Recall {
        /// Delivery.
        delivery: String,
        /// Why: the receiver reads it.
        reason: String,
    },
    /// A delivery is offered again.
    Reoffer {
        /// Delivery.
        delivery: String,
        /// So many days from now; zero: as its target wants it.
        #[serde(default)]
        days: u32,
        /// Why.
        reason: String,
    },
    /// A copy of ours of what was delivered lies in an archive.
    Archived {
        /// Delivery.
        delivery: String,
        /// Where it lies.
        place: String,
        /// What else there is to say.
        #[serde(default)]
        note: String,
    },
    /// The copies that the site keeps of a delivery go; a second person confirms.
    Retire {
        /// Delivery.
        delivery: String,
        /// Why.
        #[serde(default)]
        reason: String,
        /// Only say whether they may, and why not.
        #[serde(default)]
        dry_run: bool,
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
        /// Why a person moved it.
        #[serde(default)]
        reason: String,
    },
    /// Nothing new starts anywhere.
    StopAll {
        /// Why.
        reason: String,
    },
    /// Things may start again.
    ResumeAll,
    /// An executor gets nothing new; what it runs goes on.
    DrainExecutor {
        /// The site's name for it.
        executor: String,
        /// Why.
        reason: String,
    },
    /// An executor may get new work again.
    ResumeExecutor {
        /// The site's name for it.
        executor: String,
    },
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
    /// An account elsewhere signs them in from now on.
    LinkIdentity {
        /// Name.
        name: String,
        /// Whose word it is: the issuer's address.
        issuer: String,
        /// Which of its claims says who it is.
        claim: String,
        /// What that claim says.
        value: String,
    },
    /// Their account elsewhere signs them in no more; whoever is signed in is signed out.
    UnlinkIdentity {
        /// Name.
        name: String,
    },
    /// They may do nothing any more: neither sign in, nor with a token.
    DisablePerson {
        /// Name.
        name: String,
    },
    /// Who was disabled may again what their roles allow.
    EnablePerson {
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
    /// A user of this machine wants an address that signs them in; only the site's socket asks this, for whom the kernel says it is.
    #[serde(skip)]
    OfferLink {
        /// User id.
        user: u32,
        /// Its id and the hash of its secret, made at the door.
        made: (String, String),
    },
    /// Somebody opened such an address; only the door asks this.
    #[serde(skip)]
    OpenLink(super::people::Opening),
    /// Somebody comes from an account elsewhere that was proved; only the door asks this.
    #[serde(skip)]
    Arrive(super::people::Arrival),
    /// Somebody wanted to come from elsewhere, and proved nothing; only the door says this.
    #[serde(skip)]
    TurnAway(super::people::TurnedAway),
    /// Somebody changes their own account; only the door asks this, for whom is signed in.
    #[serde(skip)]
    Own(super::people::Own),
    /// A session, by its id, counts no more; only the door asks this, for whom the session is of.
    #[serde(skip)]
    SignOut(String),
}
