//! What was measured of order lines, page by page and newest first: what a trend and a file for MultiQC are made from.

use super::access::{Refused, is_outsider, missing, part};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal, permit};
use crate::people::role::Role;
use crate::specimen::record::Kind;
use crate::store::read::{EvaluationFilter, Reader};
use crate::store::rows::center::OrderEvaluation;

/// Evaluations read at once; each has some thousand bytes.
const PAGE: i64 = 500;

/// Which order lines, and how many.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Only this assay version's: name and version.
    pub assay: Option<(String, String)>,
    /// Only what was judged then or later, microseconds.
    pub since_us: Micros,
    /// At most so many order lines, the newest.
    pub limit: usize,
}

/// Reports are for whoever may read reports; values with their verdicts are the center's own, and people from outside see neither.
pub(super) fn may(who: &Principal) -> Result<(), Refused> {
    part(who, &[Action::ReadReport], None)?;
    if is_outsider(who) || matches!(permit(who, Action::ReadReport, None), Ok(Role::Institution)) {
        let message = format!("{} may not do this: measured values are for people of the center", who.name);
        return Err(Refused::NotAllowed(message));
    }
    Ok(())
}

/// Reads on until nothing is left.
pub(super) struct Pages<'r> {
    reader: &'r Reader,
    filter: EvaluationFilter,
    over: bool,
}

impl<'r> Pages<'r> {
    /// Begins with the newest evaluation.
    ///
    /// # Errors
    /// When they may not see measured values, the assay is not there, or the database cannot be read.
    pub(super) async fn begin(reader: &'r Reader, who: &Principal, wish: &Wish) -> Result<Self, Refused> {
        may(who)?;
        let mut filter = EvaluationFilter { since_us: wish.since_us, limit: PAGE, ..EvaluationFilter::default() };
        if let Some((name, version)) = &wish.assay {
            let id = format!("{name}@{version}");
            if reader.record(Kind::Assay.word(), &id).await?.is_none() {
                return Err(missing("assay", &id.escape_debug().to_string()));
            }
            (filter.assay, filter.assay_version) = (Some(name.clone()), Some(version.clone()));
        }
        Ok(Self { reader, filter, over: false })
    }

    /// The next page; empty at the end.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn next(&mut self) -> Result<Vec<OrderEvaluation>, Refused> {
        if self.over {
            return Ok(Vec::new());
        }
        let page = self.reader.evaluations(&self.filter).await?;
        self.over = i64::try_from(page.len()).is_ok_and(|len| len < self.filter.limit);
        self.filter.before = page.last().map(|row| row.evaluation_id.clone());
        Ok(page)
    }
}
