//! Short ways to write what tests submit: workflows, specimens, files, people.

use std::path::Path;

use kentai_engine::scheduler::Actor;
use kentai_engine::store::artifact::hex;
use kentai_workflows::plan::{Priority, Specimen};
use kentai_workflows::value::{FileValue, Map, Value};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A workflow with these steps over a specimen with `lanes`, which may be none.
#[must_use]
pub fn workflow(steps: &str) -> String {
    let head = "kentai: 1\nworkflow: test\nspecimen:\n  fields: { sex: { type: choice, of: [female, male, unknown], default: unknown } }\n  inputs:\n    lanes: { type: list, item: { id: string } }\n";
    format!("{head}steps:\n{steps}")
}

/// A specimen without lanes.
#[must_use]
pub fn specimen(id: &str) -> Specimen {
    lanes(id, &[])
}

/// A specimen with lanes.
#[must_use]
pub fn lanes(id: &str, lanes: &[&str]) -> Specimen {
    let list: Vec<Value> = lanes.iter().map(|lane| json!({ "id": lane })).collect();
    let values = Map::from_iter([("lanes".to_owned(), Value::Array(list)), ("sex".to_owned(), "unknown".into())]);
    Specimen {
        id: id.into(),
        values,
        participant: None,
        barcode: None,
        consent: None,
        priority: Priority::Routine,
        checksums: Vec::new(),
    }
}

/// A file as a sheet's reader would give it.
#[must_use]
pub fn file(path: &Path) -> Value {
    let size = path.metadata().map(|found| found.len()).ok();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = Some(path.to_string_lossy().into_owned());
    FileValue { name, path, sha256: None, size, bundle: None, dir: false }.to_value()
}

/// Lowercase hex of some bytes' SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Someone with one role.
#[must_use]
pub fn person(name: &str, role: &str) -> Actor {
    Actor { name: name.into(), roles: [role.to_owned()].into(), ..Actor::default() }
}

/// Who submits in these tests.
#[must_use]
pub fn operator() -> Actor {
    person("suzuki", "operator")
}
