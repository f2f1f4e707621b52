//! `config show`: every setting, with where it came from.

use serde_json::Value;

use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::Site;

/// Every value with its key and its origin.
pub(crate) fn show(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let values = serde_json::to_value(&site.config)?;
    let mut rows = Vec::new();
    for (key, from) in site.origin.all() {
        let value = values.pointer(&format!("/{}", key.replace('.', "/"))).unwrap_or(&Value::Null);
        gather(key, value, from, &mut rows);
    }
    if output.json {
        let origin: serde_json::Map<_, _> =
            site.origin.all().map(|(key, from)| (key.clone(), from.clone().into())).collect();
        output.json(&serde_json::json!({ "directory": site.directory, "config": values, "origin": origin }));
        return Ok(Exit::Done);
    }
    output.say(format!("site {}", site.directory.display()));
    output.line(table(&["key", "value", "from"], rows.into_iter()));
    Ok(Exit::Done)
}

/// Lists and maps of the site's own are taken apart to single values; empty ones are said to be so.
fn gather(key: &str, value: &Value, from: &str, rows: &mut Vec<Vec<String>>) {
    let row = |value: String| vec![key.to_owned(), value, from.to_owned()];
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                gather(&format!("{key}[{index}]"), item, from, rows);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(kentai_workflows::value::to_text).collect();
            rows.push(row(format!("[{}]", items.join(", "))));
        }
        Value::Object(map) if map.is_empty() => rows.push(row("{}".into())),
        Value::Object(map) => {
            for (name, value) in map {
                gather(&format!("{key}.{name}"), value, from, rows);
            }
        }
        single => rows.push(row(kentai_workflows::value::to_text(single))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_are_taken_apart() {
        let value = serde_json::json!([{ "name": "here", "roles": ["a", "b"] }, { "name": "there", "roles": [] }]);
        let mut rows = Vec::new();
        gather("people", &value, "kentai.yaml", &mut rows);
        let keys: Vec<String> = rows.iter().map(|row| format!("{}={}", row[0], row[1])).collect();
        let expected = ["people[0].name=here", "people[0].roles=[a, b]", "people[1].name=there", "people[1].roles=[]"];
        assert_eq!(keys, expected);
    }
}
