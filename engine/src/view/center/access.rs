//! Who may see what of the center, asked of the one table in `people::permission`.

use crate::people::permission::{Action, Denied, Owner, Principal, permit};
use crate::people::role::Role;
use crate::store::Error;

/// Why something is not shown.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Refused {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    NotAllowed(String),
    #[error("{0}")]
    Bad(String),
    #[error("{0}")]
    Gone(String),
    #[error("the store cannot be read")]
    Store(#[from] Error),
}

/// Somebody who is not of the center.
pub(super) fn is_outsider(who: &Principal) -> bool {
    who.institution.is_some() || who.data_center.is_some()
}

/// What is not there, and what is somebody else's.
pub(in crate::view) fn missing(what: &str, id: &str) -> Refused {
    Refused::NotFound(format!("there is no {what} `{id}`"))
}

/// May they see one thing? `owner` is its institution (empty: the center's own), none when it is not there. One of the actions is enough.
pub(super) fn see(who: &Principal, actions: &[Action], owner: Option<&str>, missing: Refused) -> Result<(), Refused> {
    match owner {
        // To somebody from outside, what they may not see and what is not there are one thing.
        None if is_outsider(who) => Err(missing),
        None => any(who, actions, None, missing),
        Some(institution) => {
            let owner = Owner { institution: Some(institution), data_center: None };
            any(who, actions, Some(&owner), missing)
        }
    }
}

fn any(who: &Principal, actions: &[Action], owner: Option<&Owner<'_>>, missing: Refused) -> Result<(), Refused> {
    let mut needs: Vec<Role> = Vec::new();
    for action in actions {
        match permit(who, *action, owner) {
            Ok(_) => return Ok(()),
            Err(Denied::Unknown) => return Err(missing),
            Err(Denied::NotAllowed { needs: more }) => {
                needs.extend(more.iter().filter(|role| !needs.contains(role)).copied().collect::<Vec<_>>());
            }
        }
    }
    let needs: Vec<&str> = needs.iter().map(|role| role.word()).collect();
    let message = format!("{} may not do this: it needs the role {}", who.name, needs.join(" or "));
    Err(Refused::NotAllowed(message))
}

/// Which part of a list they see.
pub(super) enum Part {
    /// All of it.
    All,
    /// What is of this institution.
    Of(String),
    /// Nothing of it.
    Nothing,
}

/// Narrows a list to what they may see, and to the institution that they asked for. Whoever asks for a foreign one gets what they
/// get for one that does not exist.
pub(super) fn part(who: &Principal, actions: &[Action], wanted: Option<&str>) -> Result<Part, Refused> {
    any(who, actions, None, Refused::NotFound(String::new()))?;
    if who.institution.is_none() && who.data_center.is_some() {
        return Ok(Part::Nothing);
    }
    Ok(match (who.institution.as_deref(), wanted) {
        (None, None) => Part::All,
        (None, Some(wanted)) => Part::Of(wanted.to_owned()),
        (Some(mine), Some(wanted)) if mine != wanted => Part::Nothing,
        (Some(mine), _) => Part::Of(mine.to_owned()),
    })
}

impl Part {
    /// The institution that narrows it; none when nothing of the list is seen.
    pub(super) fn institution(self) -> Option<Option<String>> {
        match self {
            Self::All => Some(None),
            Self::Of(institution) => Some(Some(institution)),
            Self::Nothing => None,
        }
    }
}
