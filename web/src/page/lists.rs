//! The list of lists at the foot of every page: each list that is for whoever reads, one click away. The bar has places, this has the rest.

use kentai_engine::people::permission::{Action, Principal, permit};
use kentai_workflows::diagnostic::Language;

/// A list: where, what it is called, what it needs (one of them), and whether only people of the center have it.
type Known = (&'static str, &'static str, &'static str, &'static [Action], bool);

/// In the order of a specimen's way.
const LISTS: &[Known] = &[
    ("/needs", "Needs a person", "要対応", &[Action::ReadSite], true),
    ("/order-lines", "Order lines", "依頼", &[Action::ReadSpecimen], false),
    ("/shipments", "Shipments", "便", &[Action::ReadSpecimen], false),
    ("/instrument-runs", "Instrument runs", "装置ラン", &[Action::ReadSite], true),
    ("/queue", "Queue", "実行待ち", &[Action::ReadSite], true),
    ("/failures", "Failures", "失敗", &[Action::ReadSite], true),
    ("/turnaround", "Turnaround", "所要日数", &[Action::ReadSite], true),
    ("/deviations", "Deviations", "逸脱", &[Action::ReadSite], true),
    ("/decisions", "Decisions", "判断", &[Action::ReadSite], true),
    ("/omissions", "Omissions", "漏れ", &[Action::ReadReport], false),
    ("/progress", "Progress", "進捗", &[Action::ReadReport], false),
    ("/hand-off/reconcile", "Reconciliation", "照合", &[Action::ReadSite], true),
    ("/notices", "Letters", "通知", &[Action::ReadSite], true),
    (
        "/withdrawals",
        "Withdrawals",
        "同意撤回",
        &[Action::ReadWithdrawn, Action::WithdrawalDecide, Action::ReadAudit],
        true,
    ),
    ("/schedules", "Schedules", "定時実行", &[Action::ReadSite], true),
    ("/proposals", "Second signatures", "二人目の確認", &[Action::ReadSite], true),
    ("/people", "People", "利用者", &[Action::ManagePeople], true),
    // In the bar too.
    ("/audit", "Audit", "監査", &[Action::ReadAudit], true),
];

/// Those that are for this person: where, and what it is called.
pub(super) fn of(who: &Principal, language: Language) -> Vec<(&'static str, &'static str)> {
    let outside = who.institution.is_some() || who.data_center.is_some();
    let is_theirs = |needs: &[Action]| needs.iter().any(|action| permit(who, *action, None).is_ok());
    LISTS
        .iter()
        .filter(|(.., needs, inside)| !(outside && *inside) && is_theirs(needs))
        .map(|(href, en, ja, ..)| match language {
            Language::En => (*href, *en),
            Language::Ja => (*href, *ja),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kentai_engine::people::role::Role;

    use super::*;

    fn of_role(role: Role, institution: Option<&str>, data_center: Option<&str>) -> Vec<&'static str> {
        let who = Principal {
            roles: vec![role],
            institution: institution.map(str::to_owned),
            data_center: data_center.map(str::to_owned),
            ..Principal::default()
        };
        of(&who, Language::En).into_iter().map(|(href, _)| href).collect()
    }

    #[test]
    fn nobody_is_led_where_they_may_not_go() {
        let operator = of_role(Role::Operator, None, None);
        assert!(operator.contains(&"/notices") && !operator.contains(&"/withdrawals"), "{operator:?}");
        assert!(of_role(Role::WithdrawalOfficer, None, None).contains(&"/withdrawals"));
        let auditor = of_role(Role::Auditor, None, None);
        assert!(auditor.contains(&"/withdrawals") && auditor.contains(&"/audit"), "{auditor:?}");
        assert!(!operator.contains(&"/audit") && !operator.contains(&"/people"), "{operator:?}");
        assert_eq!(of_role(Role::Admin, None, None), ["/people"]);
        let institution = of_role(Role::Institution, Some("H1"), None);
        assert_eq!(institution, ["/order-lines", "/shipments", "/omissions", "/progress"]);
        assert_eq!(of_role(Role::DataCenter, None, Some("dc")), [""; 0]);
    }
}
