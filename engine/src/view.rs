//! What the API, every verb's `--json` and the pages show: objects built from stored rows and nothing else.
//!
//! A view is a promise to other people's programs: fields are only added. Times are RFC 3339 in UTC with microseconds.
//! It does not know HTTP, and it never asks the running engine.

mod attempt;
pub mod center;
mod delivery;
pub mod drs;
mod event;
pub mod log;
pub mod offer;
pub mod provenance;
pub mod reconcile;
pub mod retention;
mod run;
pub mod run_sheet;
mod specimen;
mod step;
pub mod trace;
pub mod wes;
mod workflow;

pub use attempt::AttemptView;
pub use delivery::{ArchiveView, DeliveredFile, DeliveryView, ReceiptView, RetirementView};
pub use event::{DecisionView, EventView, MeasurementView};
pub use run::{Found, HoldView, RunDetail, RunView, State, events, find_run, run, runs};
pub use specimen::{SpecimenDetail, SpecimenView, specimen, specimens};
pub use step::{AnswerView, AskView, FileView, StepView};
pub use workflow::{WorkflowView, workflows, workflows_page};

pub use delivery::{deliveries, delivery};

use run::run_reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::store::Error;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Give this as `after` to get the next page; absent on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items; a full one may have a next.
    fn new(items: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Self {
        let full = i64::try_from(items.len()).is_ok_and(|len| len >= limit);
        let next = items.last().filter(|_| full).map(key);
        Self { items, next }
    }
}

/// `2026-11-22T01:02:03.000004Z`
fn time(at: Micros) -> String {
    // Only a broken row holds a time outside of the years that a timestamp can say.
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.6}"))
}

/// A stored document.
fn document<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Unknown { what, found: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_utc_to_the_microsecond() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(time(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn a_page_that_is_not_full_is_the_last() {
        let full = Page::new(vec![3, 2], 2, ToString::to_string);
        assert_eq!(full.next.as_deref(), Some("2"));
        let last = Page::new(vec![1], 2, ToString::to_string);
        assert_eq!(last.next, None);
    }
}
