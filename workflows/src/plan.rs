//! A workflow laid out over one specimen: concrete steps in order, immutable, kept for as long as the run is.
//!
//! Scattered steps become one *group* step (key `trim`) and its *items* (keys `trim/L001`): whoever uses `.all.` or names the step in
//! `after` needs the group, whoever uses `.each.` needs the matching item. A list that is known only at run time leaves a group
//! that is `pending`; [`fan_out`] makes its items when the list is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Map, Value};

mod codes;
mod digest;
mod fan;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod key;
mod layout;
mod parameters;
#[cfg(test)]
mod tests;
pub(crate) mod typed;
pub(crate) mod words;

pub use codes::CODES;
pub use fan::{ListError, fan_out, lists};
pub use key::is_id;
pub use layout::lay_out;
pub use parameters::{resolve_params, resolve_values};

/// One specimen of a sheet (an order line): what a run is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SheetSpecimen")]
pub struct Specimen {
    /// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`
    pub id: String,
    /// Fields and inputs by name; files are `{"$file": …}`, a list is an array of objects with `id`.
    pub values: Map,
    /// Pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// Byte for byte as on the tube.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Consent record id and scopes, as the sheet says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// `routine`, `urgent` or `stat`.
    #[serde(default)]
    pub priority: Priority,
    /// Checksums that the sheet promised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<Promised>,
}

/// Consent as a sheet names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SheetConsent")]
pub struct Consent {
    /// Record id.
    pub record: String,
    /// Scopes (`sequencing`, `research_domestic` …).
    pub scopes: Vec<String>,
}

/// Priority class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the domain's own words")]
pub enum Priority {
    #[default]
    Routine,
    Urgent,
    Stat,
}

/// A checksum that the sheet promises for one of the specimen's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promised {
    /// Absolute path.
    pub path: String,
    /// `sha256` or `md5`.
    pub algorithm: String,
    /// Lowercase hex.
    pub hex: String,
}

/// What runs for one specimen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `workflow:`
    pub workflow: String,
    /// `version:`
    pub version: String,
    /// SHA-256 of the workflow's text.
    pub workflow_digest: String,
    /// The specimen.
    pub specimen: Specimen,
    /// Every parameter with its value; files and references are `{"$file": …}` (a reference is an object of role → file).
    pub params: Map,
    /// In an order that respects `needs`.
    pub steps: Vec<PlannedStep>,
}

/// One concrete step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// `trim`, or `trim/L001` for an item (several loop names: `call/L001,chr1`).
    pub key: String,
    /// The workflow's step id.
    pub step: String,
    /// What it stands for.
    pub role: Role,
    /// Loop name → item.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub item: Map,
    /// Keys that must be finished before it can be ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// Role of a concrete step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs once.
    Single,
    /// Stands for all its items, which are among its `needs`.
    Group,
    /// A group whose list is known only at run time; its `needs` are what the list needs.
    Pending,
    /// One item of a group.
    Item,
}

/// Lists of a `for_each`, by loop name.
pub type Lists = Vec<(String, Vec<Value>)>;

impl Specimen {
    /// `specimen` as expressions see it: its values, and the facts that every specimen has (`id`, `participant`, `barcode`,
    /// `priority`); an absent fact is `Null`.
    #[must_use]
    pub fn scope(&self) -> Map {
        let mut scope = self.values.clone();
        scope.insert("id".into(), self.id.clone().into());
        scope.insert("participant".into(), self.participant.clone().into());
        scope.insert("barcode".into(), self.barcode.clone().into());
        scope.insert("priority".into(), self.priority.as_str().into());
        scope
    }
}

impl Priority {
    /// Its name as sheets and expressions write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::Routine => "routine",
            Priority::Urgent => "urgent",
            Priority::Stat => "stat",
        }
    }
}
