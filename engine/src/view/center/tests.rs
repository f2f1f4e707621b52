//! Who sees what.

use super::access::{Part, Refused, missing, part, see};
use crate::people::permission::{Action, Principal};
use crate::people::role::Role;

fn hospital(institution: &str) -> Principal {
    let institution = Some(institution.to_owned());
    Principal { name: "h".into(), roles: vec![Role::Institution], institution, ..Principal::default() }
}

fn of(role: Role) -> Principal {
    Principal { name: "x".into(), roles: vec![role], ..Principal::default() }
}

fn said(result: Result<(), Refused>) -> String {
    match result {
        Ok(()) => "seen".into(),
        Err(Refused::NotFound(text)) => format!("404 {text}"),
        Err(Refused::NotAllowed(text)) => format!("403 {text}"),
        Err(other) => other.to_string(),
    }
}

#[test]
fn what_is_foreign_is_missing_word_for_word() {
    let ask = |owner| said(see(&hospital("H1"), &[Action::ReadSpecimen], owner, missing("specimen", "S1")));
    assert_eq!(ask(Some("H1")), "seen");
    assert_eq!(ask(Some("H2")), ask(None));
    assert_eq!(ask(Some("")), ask(None));
    assert_eq!(ask(None), "404 there is no specimen `S1`");
}

#[test]
fn who_needs_another_role_is_told_so_whether_it_is_there_or_not() {
    let ask = |owner| said(see(&of(Role::Admin), &[Action::ReadSpecimen], owner, missing("specimen", "S1")));
    assert!(ask(Some("H1")).starts_with("403 x may not do this: it needs the role operator or reviewer"));
    assert_eq!(ask(Some("H1")), ask(None));
    let own = said(see(&hospital("H1"), &[Action::ReadSite], Some("H1"), missing("lane_library", "x")));
    assert!(own.starts_with("403"), "{own}");
}

#[test]
fn a_list_is_ones_own_and_a_foreign_one_is_empty() {
    let list = |who: &Principal, wanted| match part(who, &[Action::ReadSpecimen], wanted) {
        Ok(Part::All) => "all".to_owned(),
        Ok(Part::Of(institution)) => institution,
        Ok(Part::Nothing) => "nothing".to_owned(),
        Err(_) => "refused".to_owned(),
    };
    assert_eq!(list(&hospital("H1"), None), "H1");
    assert_eq!(list(&hospital("H1"), Some("H2")), "nothing");
    assert_eq!(list(&of(Role::Auditor), None), "all");
    assert_eq!(list(&of(Role::Auditor), Some("H2")), "H2");
    assert_eq!(list(&of(Role::Admin), None), "refused");
}
