//! Whole numbers as programs have them: a schema's `int64` says no bound, and this machine's has one.

use serde_json::{Value, json};

/// Bounds at every whole number within a schema.
pub(super) fn bounded(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let bounds = match members.get("format").and_then(Value::as_str) {
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("uint64" | "uint") => Some((json!(0), json!(u64::MAX))),
                _ => None,
            };
            if let Some((least, most)) = bounds {
                members.entry("minimum").or_insert(least);
                members.entry("maximum").or_insert(most);
            }
            members.values_mut().for_each(bounded);
        }
        Value::Array(items) => items.iter_mut().for_each(bounded),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_said_stays_and_one_that_is_not_is_the_types() {
        let mut schema = json!({ "items": [{ "type": "integer", "format": "int64", "minimum": 1 }] });
        bounded(&mut schema);
        assert_eq!(
            schema["items"][0],
            json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX })
        );
    }
}
