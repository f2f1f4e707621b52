//! The one place that says who may do what. What is somebody else's does not exist, word for word; what is one's own and needs another
//! role is refused by name.

use std::collections::BTreeSet;

use super::role::Role;
use crate::state::words;

words!(
    /// What somebody wants to do.
    Action {
        /// See one's own name and roles.
        ReadSelf = "read_self",
        /// See lists of everything: the page, the queue, omissions.
        ReadSite = "read_site",
        /// See one specimen, order line or its history.
        ReadSpecimen = "read_specimen",
        /// See runs, steps, attempts and logs.
        ReadRun = "read_run",
        /// See deliveries.
        ReadDelivery = "read_delivery",
        /// See what a withdrawal closed.
        ReadWithdrawn = "read_withdrawn",
        /// See the audit log, and take it along.
        ReadAudit = "read_audit",
        /// See reports.
        ReadReport = "read_report",
        /// Submit a sheet.
        Submit = "submit",
        /// Pause a run, let it go on, end it.
        RunControl = "run_control",
        /// Take an order line back.
        Cancel = "cancel",
        /// Do a run again.
        Retry = "retry",
        /// Pause an order line.
        Hold = "hold",
        /// Let an order line go on.
        Resume = "resume",
        /// The emergency stop.
        StopAll = "stop_all",
        /// Take tables in.
        Import = "import",
        /// Scan, reject, accession.
        Receive = "receive",
        /// Report what the bench or an instrument did.
        ReportStage = "report_stage",
        /// Write consent down.
        RecordConsent = "record_consent",
        /// Record a withdrawal, its answers, its end.
        Withdraw = "withdraw",
        /// Decide what becomes of what a withdrawal is about.
        WithdrawalDecide = "withdrawal_decide",
        /// Bring measured values.
        QcImport = "qc_import",
        /// Decide a quality question.
        QcDecide = "qc_decide",
        /// Let data leave the building.
        Release = "release",
        /// Send again, call back.
        HandOff = "hand_off",
        /// Let the copies go that the site keeps of a delivery.
        Retire = "retire",
        /// Acknowledge or refuse a delivery.
        Receipt = "receipt",
        /// Open an ended order line again.
        Reopen = "reopen",
        /// Be the second person.
        Confirm = "confirm",
        /// Move a leftover.
        Custody = "custody",
        /// Open and close deviations.
        Deviation = "deviation",
        /// Send a notice again, or one that says nothing.
        Notify = "notify",
        /// Schedules.
        Schedule = "schedule",
        /// Register workflows, references.
        Register = "register",
        /// Define assays, programs, institutions.
        Configure = "configure",
        /// People, roles, tokens.
        ManagePeople = "manage_people",
        /// Try a changed workflow or criteria on what was recorded.
        Rehearse = "rehearse",
    }
);

/// Person or service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrincipalKind {
    /// Somebody.
    #[default]
    Person,
    /// A program with a token.
    Service,
}

/// Who wants something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// As the audit log names them.
    pub name: String,
    /// Person or service.
    pub kind: PrincipalKind,
    /// Roles.
    pub roles: Vec<Role>,
    /// Their institution, when they are not of the center.
    pub institution: Option<String>,
    /// Their data center.
    pub data_center: Option<String>,
    /// What a token may do at most (words of [`Action`]); none: whatever the roles allow.
    pub scopes: Option<BTreeSet<String>>,
}

/// Whose a thing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Institution that it came from.
    pub institution: Option<&'a str>,
    /// Data center that it is for.
    pub data_center: Option<&'a str>,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is somebody else's: it looks exactly like a thing that does not exist.
    Unknown,
    /// Another role is needed.
    NotAllowed {
        /// One of these.
        needs: &'static [Role],
    },
}

impl Action {
    /// The roles of which one is needed.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        use Role as R;
        match self {
            Self::ReadSelf => Role::ALL,
            Self::ReadSite | Self::ReadRun => {
                &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer, R::Auditor]
            }
            Self::ReadSpecimen => {
                &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer, R::Auditor, R::Institution]
            }
            Self::ReadDelivery => {
                &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer, R::Auditor, R::DataCenter]
            }
            Self::ReadReport => {
                &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer, R::Auditor, R::Institution]
            }
            Self::ReadWithdrawn | Self::Withdraw => &[R::WithdrawalOfficer],
            Self::ReadAudit => &[R::Auditor],
            Self::Submit
            | Self::RunControl
            | Self::Retry
            | Self::Import
            | Self::Receive
            | Self::RecordConsent
            | Self::QcImport
            | Self::Custody
            | Self::Schedule
            | Self::HandOff => &[R::Operator],
            Self::ReportStage => &[R::Operator, R::Releaser, R::DataCenter],
            Self::Notify => &[R::Operator, R::WithdrawalOfficer],
            Self::Cancel | Self::Hold | Self::Resume => &[R::Operator, R::Reviewer, R::Releaser],
            Self::StopAll | Self::Deviation => &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer],
            Self::WithdrawalDecide => &[R::WithdrawalOfficer, R::Releaser],
            Self::QcDecide => &[R::Reviewer],
            Self::Release => &[R::Releaser],
            Self::Retire => &[R::Operator, R::Releaser],
            Self::Receipt => &[R::DataCenter],
            Self::Reopen => &[R::Operator, R::Reviewer, R::Releaser],
            Self::Confirm => &[R::Operator, R::Reviewer, R::Releaser, R::WithdrawalOfficer],
            Self::Register => &[R::Operator, R::Admin],
            Self::Configure => &[R::Operator, R::Admin],
            Self::ManagePeople => &[R::Admin],
            Self::Rehearse => &[R::Operator, R::Reviewer, R::Auditor],
        }
    }
}

/// May they? The role that allows it, for the audit log.
///
/// # Errors
/// [`Denied::Unknown`] when the thing is somebody else's, else [`Denied::NotAllowed`].
pub fn permit(who: &Principal, action: Action, owner: Option<&Owner<'_>>) -> Result<Role, Denied> {
    if is_foreign(who, owner) {
        return Err(Denied::Unknown);
    }
    let needs = action.roles();
    let narrowed = who.scopes.as_ref().is_some_and(|scopes| !scopes.contains(action.word()));
    let role = needs.iter().copied().find(|role| who.roles.contains(role)).filter(|_| !narrowed);
    role.ok_or(Denied::NotAllowed { needs })
}

/// Somebody from outside sees their own and nothing else.
fn is_foreign(who: &Principal, owner: Option<&Owner<'_>>) -> bool {
    let Some(owner) = owner else { return false };
    // From outside, and nobody said from where: nothing is theirs.
    let nowhere = |role: Role, place: &Option<String>| who.roles.contains(&role) && place.is_none();
    if nowhere(Role::Institution, &who.institution) || nowhere(Role::DataCenter, &who.data_center) {
        return true;
    }
    let other = |mine: &Option<String>, theirs: Option<&str>| mine.is_some() && mine.as_deref() != theirs;
    other(&who.institution, owner.institution)
        || (who.data_center.is_some() && other(&who.data_center, owner.data_center))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page that people read: this table and nothing else says who may.
    fn page() -> String {
        let mut page = String::from(
            "# Who may do what\n\n\
             Written by a test from the table in `engine/src/people/permission.rs`; `KENTAI_BLESS=1 cargo test -p kentai-engine` writes it \
             anew.\n\
             A token's scopes are the words of the first column: it may do at most those, and never more than its owner's roles allow.\n\
             People of an institution or a data center see their own and nothing else; what is somebody else's is answered like what is \
             not there.\n\n",
        );
        let heads: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
        page.push_str(&format!("| action | {} |\n", heads.join(" | ")));
        page.push_str(&format!("| --- |{}\n", " :-: |".repeat(heads.len())));
        for action in Action::ALL {
            let cells = Role::ALL.iter().map(|role| if permit(&of(*role), *action, None).is_ok() { "yes" } else { "" });
            page.push_str(&format!("| `{action}` | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        }
        page
    }

    #[test]
    fn the_page_about_permissions_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permissions.md");
        if std::env::var_os("KENTAI_BLESS").is_some() {
            std::fs::write(path, page()).expect("the documents can be written");
        }
        let written = std::fs::read_to_string(path).expect("docs/permissions.md is there");
        assert!(written == page(), "docs/permissions.md is not the table any more: run with KENTAI_BLESS=1");
    }

    fn of(role: Role) -> Principal {
        Principal { name: "x".into(), roles: vec![role], ..Principal::default() }
    }

    #[test]
    fn what_is_foreign_does_not_exist_and_what_is_ones_own_is_refused_by_name() {
        let mut hospital = of(Role::Institution);
        hospital.institution = Some("H1".into());
        let owned = |institution| Owner { institution: Some(institution), data_center: None };
        for action in Action::ALL {
            assert_eq!(permit(&hospital, *action, Some(&owned("H2"))), Err(Denied::Unknown), "{action}");
        }
        assert_eq!(permit(&hospital, Action::ReadSpecimen, Some(&owned("H1"))), Ok(Role::Institution));
        assert!(matches!(permit(&hospital, Action::QcDecide, Some(&owned("H1"))), Err(Denied::NotAllowed { .. })));
    }

    #[test]
    fn an_auditor_changes_nothing_and_an_admin_sees_no_data() {
        for action in Action::ALL {
            let reads = action.word().starts_with("read") || *action == Action::Rehearse;
            assert!(reads || permit(&of(Role::Auditor), *action, None).is_err(), "{action}");
        }
        for action in [Action::ReadSite, Action::ReadSpecimen, Action::ReadRun, Action::ReadWithdrawn] {
            assert!(permit(&of(Role::Admin), action, None).is_err(), "{action}");
        }
    }

    #[test]
    fn a_token_narrows_and_never_widens() {
        let mut service = of(Role::Operator);
        service.scopes = Some(["submit".to_owned(), "release".to_owned()].into());
        assert_eq!(permit(&service, Action::Submit, None), Ok(Role::Operator));
        assert!(permit(&service, Action::Cancel, None).is_err());
        assert!(permit(&service, Action::Release, None).is_err());
    }
}
