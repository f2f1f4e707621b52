//! The workflow language: YAML in; a checked workflow and its plans, or every mistake, out.
//!
//! This room knows nothing of time, disks or databases: text and plain structs come in, values go out.
//! Walk it in this order: `document` (YAML as written) → `check` (document → [`workflow::Workflow`] or diagnostics) →
//! `sheet` (rows → specimens) → `plan` (workflow × specimen → steps) ; `expression` evaluates what is known only later.

pub mod check;
pub mod diagnostic;
pub mod document;
pub mod explain;
pub mod expression;
pub mod format;
pub mod graph;
pub mod plan;
pub mod resources;
pub mod schema;
pub mod sheet;
pub mod site;
pub mod value;
pub mod workflow;
