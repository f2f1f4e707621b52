//! What each request needs to be allowed.

use super::Request;
use crate::people::permission::Action;
use crate::specimen::import::Table;

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
                | Self::DrainExecutor { .. }
                | Self::ResumeExecutor { .. }
                | Self::NoticeTest { .. }
                | Self::AddPerson { .. }
                | Self::SetRoles { .. }
                | Self::SetPassword { .. }
                | Self::SetTotp { .. }
                | Self::LinkIdentity { .. }
                | Self::UnlinkIdentity { .. }
                | Self::DisablePerson { .. }
                | Self::EnablePerson { .. }
                | Self::NewToken { .. }
                | Self::RevokeToken { .. }
                | Self::AuditRead { .. }
                | Self::AuditSign { .. }
                | Self::Checkpoint
                | Self::SignIn(_)
                | Self::OfferLink { .. }
                | Self::OpenLink(_)
                | Self::Arrive(_)
                | Self::TurnAway(_)
                | Self::Own(_)
                | Self::SignOut(_)
        )
    }

    /// The delivery that it is about.
    #[must_use]
    pub fn delivery(&self) -> Option<&str> {
        match self {
            Self::Receipt { delivery, .. }
            | Self::ReceiptRefused { delivery, .. }
            | Self::Fetched { delivery, .. }
            | Self::Recall { delivery, .. }
            | Self::Reoffer { delivery, .. }
            | Self::Archived { delivery, .. }
            | Self::Retire { delivery, .. } => Some(delivery),
            _ => None,
        }
    }

    /// Which act it is under a key (`scheduler::once`): a receipt that is refused is written down beside what was asked.
    #[must_use]
    pub fn act(&self) -> &'static str {
        if matches!(self, Self::ReceiptRefused { .. }) { "refused" } else { "center" }
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
            Self::NoticeAgain { .. } | Self::NoticeTest { .. } => Action::Notify,
            Self::CaseDecide { .. } | Self::CaseConfirm { .. } => Action::WithdrawalDecide,
            Self::Custody { .. } => Action::Custody,
            Self::Receipt { .. } | Self::ReceiptRefused { .. } => Action::Receipt,
            Self::Fetched { .. } => Action::ReadDelivery,
            Self::Recall { .. } | Self::Reoffer { .. } | Self::Archived { .. } => Action::HandOff,
            Self::Retire { .. } => Action::Retire,
            Self::Deviation { .. } | Self::DeviationClose { .. } => Action::Deviation,
            // The proposal's own action is looked at when it is carried out.
            Self::Confirm { .. } => Action::Confirm,
            Self::Schedule { .. } => Action::Schedule,
            Self::StopAll { .. } | Self::ResumeAll | Self::DrainExecutor { .. } | Self::ResumeExecutor { .. } => {
                Action::StopAll
            }
            Self::AddPerson { .. }
            | Self::SetRoles { .. }
            | Self::SetPassword { .. }
            | Self::SetTotp { .. }
            | Self::LinkIdentity { .. }
            | Self::UnlinkIdentity { .. }
            | Self::DisablePerson { .. }
            | Self::EnablePerson { .. }
            | Self::NewToken { .. }
            | Self::RevokeToken { .. } => Action::ManagePeople,
            Self::AuditRead { .. } | Self::AuditSign { .. } | Self::Checkpoint => Action::ReadAudit,
            Self::SignIn(_)
            | Self::OfferLink { .. }
            | Self::OpenLink(_)
            | Self::Arrive(_)
            | Self::TurnAway(_)
            | Self::Own(_)
            | Self::SignOut(_) => Action::ReadSelf,
        }
    }
}
