//! Ids of specimens, lanes and items: what may become part of a key, and how an item gets its own.
//!
//! Keys name directories, containers and jobs, so nothing enters them that is not plainly safe.

use std::collections::BTreeSet;

use crate::value::{Map, Value};

/// Longest id.
const ID_MAX: usize = 64;

/// Is `text` an id, `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`?
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() <= ID_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Each item's part of the key: its `id`, else its own text when that is an id, else its place in the list, `0001` first.
pub(super) fn names(items: &[Value]) -> Vec<String> {
    items.iter().enumerate().map(|(index, item)| name(item).map_or_else(|| place(index), str::to_owned)).collect()
}

/// Like [`names`], but by place for all when two items would share a name.
pub(super) fn distinct_names(items: &[Value]) -> Vec<String> {
    let names = names(items);
    if twice(&names).is_none() { names } else { (0..items.len()).map(place).collect() }
}

/// The first name that occurs a second time.
pub(super) fn twice(names: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(name.as_str()))
}

fn name(item: &Value) -> Option<&str> {
    let text = item.as_object().map_or(Some(item), |fields| fields.get("id"))?.as_str()?;
    is_id(text).then_some(text)
}

fn place(index: usize) -> String {
    format!("{:04}", index + 1)
}

/// One combination of items, and its part of the key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Combination {
    pub(super) name: String,
    pub(super) item: Map,
}

/// Every combination of the lists' items, the last list turning fastest; one empty combination when there is no list.
pub(super) fn cross(lists: &[(String, Vec<Value>)], names: impl Fn(&[Value]) -> Vec<String>) -> Vec<Combination> {
    let mut combinations = vec![Combination { name: String::new(), item: Map::new() }];
    for (loop_name, items) in lists {
        let names = names(items);
        combinations = combinations
            .iter()
            .flat_map(|before| {
                items.iter().zip(&names).map(move |(item, name)| extended(before, loop_name, item, name))
            })
            .collect();
    }
    combinations
}

fn extended(before: &Combination, loop_name: &str, item: &Value, name: &str) -> Combination {
    let mut fields = before.item.clone();
    fields.insert(loop_name.to_owned(), item.clone());
    let name = if before.name.is_empty() { name.to_owned() } else { format!("{},{name}", before.name) };
    Combination { name, item: fields }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_plain_ascii_that_cannot_be_an_option_or_a_path() {
        for good in ["S1", "0", "NA12878_control", "a.b-c", &"x".repeat(64)] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "-rf", ".", "..", "../x", "$(touch x)", "a b", "a\n", "検体", "S１", "_x", &"x".repeat(65)] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }

    #[test]
    fn items_are_named_by_id_then_text_then_place() {
        let items = [json!({"id": "L001"}), json!("chr1"), json!("../x"), json!({"$file": {"name": "a"}}), json!(7)];
        assert_eq!(names(&items), ["L001", "chr1", "0003", "0004", "0005"]);
        assert_eq!(distinct_names(&[json!("a"), json!("a")]), ["0001", "0002"]);
        assert_eq!(twice(&names(&[json!("a"), json!("a")])), Some(&"a".to_owned()));
    }

    #[test]
    fn several_lists_cross_with_the_last_turning_fastest() {
        let lists =
            [("lane".to_owned(), vec![json!("L1"), json!("L2")]), ("chr".to_owned(), vec![json!("1"), json!("2")])];
        let crossed: Vec<String> = cross(&lists, names).into_iter().map(|combination| combination.name).collect();
        assert_eq!(crossed, ["L1,1", "L1,2", "L2,1", "L2,2"]);
    }
}
