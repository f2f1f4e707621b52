//! What people decided, the newest first: about gates, about what a workflow asked, about order lines, and what one person proposed.
//!
//! What was decided about a withdrawal's things is told by its case, to whoever may see it.

use std::cmp::Reverse;

use super::access::{Refused, is_outsider, part};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::record::{Decision, Kind as Record, Proposal};
use crate::state::words;
use crate::store::read::{DecisionFilter, Reader};
use crate::view::{Page, document};

words!(
    /// What a decision is about.
    Kind {
        /// A way out of a gate that did not pass.
        Gate = "gate",
        /// An answer to a question of a workflow.
        Approval = "approval",
        /// A way out of a question about an order line.
        OrderLine = "order_line",
        /// What one person proposed and another confirms.
        Proposal = "proposal",
    }
);

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A step of a run.
    Step(String, String),
    /// An order line.
    OrderLine(String),
    /// A delivery.
    Delivery(String),
    /// Something else, as the record has it.
    Other(String),
}

impl About {
    /// `order_line O…`, `step RUN NAME`, `delivery d…`
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Step(run, step) => format!("step {run} {step}"),
            Self::OrderLine(id) => format!("order_line {id}"),
            Self::Delivery(id) => format!("delivery {id}"),
            Self::Other(text) => text.clone(),
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Its id.
    pub id: String,
    /// What sort it is of.
    pub kind: Kind,
    /// What it is about.
    pub about: About,
    /// What was decided: `release`, `top_up`, `approve` …
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Who decided, or proposed.
    pub person: String,
    /// When.
    pub at_us: Micros,
    /// It waits for a second person.
    pub waits: bool,
}

/// Which decisions.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Only of this sort.
    pub kind: Option<Kind>,
    /// Only this person's.
    pub person: Option<String>,
    /// Only those before this one.
    pub before: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Ids begin with a letter of their sort; behind it they sort by time.
fn time_of(id: &str) -> &str {
    id.get(1..).unwrap_or_default()
}

/// Decisions, the newest first.
///
/// # Errors
/// When they may not see them, or the database cannot be read.
pub async fn decisions(reader: &Reader, who: &Principal, now: Micros, wish: &Wish) -> Result<Page<Decided>, Refused> {
    if is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: it is about the whole center", who.name)));
    }
    part(who, &[Action::ReadSite], None)?;
    let items = newest(reader, now, wish).await?;
    Ok(Page::new(items, wish.limit, |one: &Decided| one.id.clone()))
}

/// The newest of all sorts together.
async fn newest(reader: &Reader, now: Micros, wish: &Wish) -> Result<Vec<Decided>, Refused> {
    let Wish { kind, person, before, limit } = wish;
    let (person, limit) = (person.as_deref(), *limit);
    let is = |wanted: &[Kind]| kind.is_none_or(|kind| wanted.contains(&kind));
    let key = |letter: char| before.as_deref().map(|id| format!("{letter}{}", time_of(id)));
    let mut all = Vec::new();
    if is(&[Kind::Gate, Kind::Approval]) {
        let before = key('q');
        let gates = kind.map(|kind| kind == Kind::Gate);
        let filter = DecisionFilter { person, gates, before: before.as_deref(), limit };
        for row in reader.decisions_back(&filter).await? {
            all.push(Decided {
                id: row.decision_id,
                kind: if row.kind == "qc" { Kind::Gate } else { Kind::Approval },
                about: About::Step(row.run_id.to_string(), row.step_key.to_string()),
                verdict: row.verdict,
                reason: row.reason,
                person: row.person,
                at_us: row.at_us,
                waits: false,
            });
        }
    }
    if is(&[Kind::OrderLine]) {
        let before = key('q');
        let rows = match person {
            Some(person) => reader.decided_by(person, before.as_deref(), limit).await?,
            None => reader.newest_first(Record::Decision.word(), None, before.as_deref(), limit).await?,
        };
        for row in rows {
            let doc: Decision = document("a decision", &row.document)?;
            let about = doc.subject.strip_prefix("order_line ").map(|id| About::OrderLine(id.to_owned()));
            all.push(Decided {
                id: row.record_id,
                kind: Kind::OrderLine,
                about: about.unwrap_or(About::Other(doc.subject)),
                verdict: doc.way,
                reason: doc.reason,
                person: doc.person,
                at_us: doc.at_us,
                waits: false,
            });
        }
    }
    if is(&[Kind::Proposal]) {
        let before = key('z');
        let rows = match person {
            Some(person) => reader.proposed_by(person, before.as_deref(), limit).await?,
            None => reader.newest_first(Record::Proposal.word(), None, before.as_deref(), limit).await?,
        };
        for row in rows {
            let doc: Proposal = document("a proposal", &row.document)?;
            let word = |name: &str| doc.request.get(name).and_then(|word| word.as_str()).map(str::to_owned);
            let about = word("order_line").map(About::OrderLine).or_else(|| word("delivery").map(About::Delivery));
            all.push(Decided {
                id: row.record_id,
                kind: Kind::Proposal,
                about: about.unwrap_or(About::Other(String::new())),
                verdict: word("event").or_else(|| word("request")).unwrap_or_default(),
                waits: row.status == "proposed" && doc.until_us >= now,
                reason: doc.reason,
                person: doc.proposed_by,
                at_us: row.created_us,
            });
        }
    }
    all.sort_by(|one, other| Reverse(time_of(&one.id)).cmp(&Reverse(time_of(&other.id))));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_several_sorts_are_in_the_order_of_their_time() {
        let mut ids = ["q02", "z03", "q01", "z00"];
        ids.sort_by_key(|id| Reverse(time_of(id)));
        assert_eq!(ids, ["z03", "q02", "q01", "z00"]);
        assert_eq!(time_of(""), "");
    }

    #[test]
    fn what_it_is_about_is_said_in_one_word_and_ids() {
        assert_eq!(About::Step("r1".into(), "qc/L1".into()).word(), "step r1 qc/L1");
        assert_eq!(About::OrderLine("O1".into()).word(), "order_line O1");
        assert_eq!(About::Delivery("d1".into()).word(), "delivery d1");
    }
}
