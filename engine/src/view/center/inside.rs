//! Runs, sheets and hand-offs are the center's own: who may see them, and what everybody else is told.

use super::access::{Refused, is_outsider, missing};
use crate::people::permission::{Action, Principal, permit};
use crate::specimen::record::Kind;
use crate::store::Error;
use crate::store::read::Reader;
use crate::view::{Found, find_run};

/// What only people of the center see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// Runs, their steps and logs.
    Run,
    /// Specimens as sheets bring them.
    Specimen,
    /// Hand-offs. A data center sees those to itself.
    Delivery,
}

impl Inner {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Specimen => "specimen",
            Self::Delivery => "delivery",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Run | Self::Specimen => Action::ReadRun,
            Self::Delivery => Action::ReadDelivery,
        }
    }

    /// The institution that one thing came from; none: it is not there, or nobody's.
    async fn institution(self, reader: &Reader, id: &str) -> Result<Option<String>, Error> {
        let run = match self {
            Self::Specimen => {
                let row = reader.record(Kind::Specimen.word(), id).await?;
                return Ok(row.map(|row| row.owner));
            }
            Self::Run => match find_run(reader, id).await? {
                Found::One(run) => run.to_string(),
                Found::None | Found::Several => return Ok(None),
            },
            Self::Delivery => match reader.delivery(id).await? {
                Some(row) => row.run_id.to_string(),
                None => return Ok(None),
            },
        };
        let participant = reader.run(&run).await?.map(|run| run.participant_id).unwrap_or_default();
        Ok(reader.participant(&participant).await?.map(|row| row.institution))
    }
}

/// May they see this, or a list of such things? To somebody from outside what is foreign and what is not there are one thing; what is
/// their own and not shown to them is refused by name.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn inside(reader: &Reader, who: &Principal, inner: Inner, id: Option<&str>) -> Result<(), Refused> {
    let refused = || {
        let what = inner.word();
        Refused::NotAllowed(format!("{} may not do this: a {what} is for people of the center", who.name))
    };
    if !is_outsider(who) {
        return permit(who, inner.action(), None).map(drop).map_err(|_| refused());
    }
    let Some(id) = id else {
        // A data center's own list is narrowed by whoever makes it.
        let own = inner == Inner::Delivery && who.data_center.is_some() && permit(who, inner.action(), None).is_ok();
        return if own { Ok(()) } else { Err(refused()) };
    };
    if inner == Inner::Delivery && who.data_center.is_some() {
        let target = reader.delivery(id).await?.map(|row| row.target);
        return match target {
            Some(target) if who.data_center.as_ref() == Some(&target) => {
                permit(who, inner.action(), None).map(drop).map_err(|_| refused())
            }
            _ => Err(missing(inner.word(), id)),
        };
    }
    let institution = inner.institution(reader, id).await?.filter(|institution| !institution.is_empty());
    let own = institution.is_some() && institution == who.institution;
    Err(if own { refused() } else { missing(inner.word(), id) })
}

/// The target that a list of hand-offs is narrowed to; none: all of them.
#[must_use]
pub fn own_target(who: &Principal) -> Option<String> {
    who.data_center.clone()
}
