//! Values as expressions see them: JSON, plus one spelling for a file.
//!
//! A file is the JSON object `{"$file": {…}}`, so that it survives a walk through an expression and through the plan.
//! This file does not read the disk; sizes and checksums are what somebody else found.

use serde::{Deserialize, Serialize};

/// The JSON values of plans and expressions.
pub type Value = serde_json::Value;
/// A JSON object, ordered by key.
pub type Map = serde_json::Map<String, Value>;

/// A file that a step can be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileValue {
    /// The file's own name, as a tool should see it (`L001_R1.fastq.gz`); never contains `/`.
    pub name: String,
    /// Absolute path on the engine's host; absent for a file of the content-addressed store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Lowercase hex SHA-256 of the content, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size in bytes, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Absolute path of the reference bundle that the file lies in: its directory is mounted whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// A directory artifact: `sha256` is that of its manifest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dir: bool,
}

const KEY: &str = "$file";

impl FileValue {
    /// The value that stands for this file in plans and expressions.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::json!({ KEY: self })
    }

    /// The file that `value` stands for, when it is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<FileValue> {
        let inner = value.as_object()?.get(KEY)?;
        serde_json::from_value(inner.clone()).ok()
    }
}

/// `value` as text: numbers and booleans as JSON writes them (computed ones to 12 significant digits, so that `0.85 - 0.05` is
/// `0.8`), text as it is, files by name, lists and maps as JSON.
#[must_use]
pub fn to_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(|| number.to_string(), short),
        other => FileValue::of(other).map_or_else(|| other.to_string(), |file| file.name),
    }
}

/// Binary fractions carry about 16 digits; the last ones are noise of the arithmetic.
fn short(number: f64) -> String {
    format!("{number:.11e}").parse::<f64>().unwrap_or(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_numbers_read_as_a_person_would_write_them() {
        let text = |number: f64| to_text(&Value::from(number));
        assert_eq!(text(0.85 - 0.05), "0.8");
        assert_eq!(text(30.0 * 0.9), "27");
        assert_eq!(text(1e-7), "0.0000001");
        assert_eq!(to_text(&Value::from(10_000_000_000_000_001_i64)), "10000000000000001");
    }
}
