//! Where each value of the site file came from: default, file, or a `KENTAI_…` variable.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::{Config, Error};

/// Lists, and maps with names of the site's own: set in the file only.
pub(crate) const OWN: [&str; 9] =
    ["executors", "places", "people", "targets", "notices", "secrets", "serve", "client_certificates", "sign_in"];

/// Dotted key → `default`, `kentai.yaml` or the variable's name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin(BTreeMap<String, String>);

impl Origin {
    /// Where the value of `key` came from.
    pub(crate) fn of(&self, key: &str) -> &str {
        self.0.get(key).map_or("kentai.yaml", String::as_str)
    }

    /// Every known single value, and the lists and maps of the site's own.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

/// Lays variables over the file. Lists and maps with names of the site's own are set in the file only.
pub(super) fn overlay(file: &Value, variables: &BTreeMap<String, String>) -> Result<(Value, Origin), Error> {
    let defaults = serde_yaml::to_value(Config::default())
        .map_err(|error| Error::Variable { name: "KENTAI_…".into(), reason: error.to_string() })?;
    let mut value = file.clone();
    let mut origin = Origin::default();
    for path in leaves(&defaults) {
        let name = format!("KENTAI_{}", path.join("_").to_uppercase());
        let from = match variables.get(&name) {
            Some(text) => {
                let parsed = serde_yaml::from_str(text)
                    .map_err(|error| Error::Variable { name: name.clone(), reason: error.to_string() })?;
                set(&mut value, &path, parsed);
                name
            }
            None if get(file, &path).is_some() => "kentai.yaml".to_owned(),
            None => "default".to_owned(),
        };
        origin.0.insert(path.join("."), from);
    }
    for name in OWN {
        let from = if get(file, &[name.to_owned()]).is_some() { "kentai.yaml" } else { "default" };
        origin.0.insert(name.to_owned(), from.to_owned());
    }
    Ok((value, origin))
}

/// Paths of single values; `targets` and the like hold the site's own names and are left out.
fn leaves(value: &Value) -> Vec<Vec<String>> {
    let Value::Mapping(map) = value else { return vec![Vec::new()] };
    // A map that is empty by default has names of the site's own.
    if map.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (key, value) in map {
        let Some(key) = key.as_str() else { continue };
        if OWN.contains(&key) {
            continue;
        }
        for mut rest in leaves(value) {
            rest.insert(0, key.to_owned());
            found.push(rest);
        }
    }
    found
}

fn get<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key.as_str()))
}

fn set(value: &mut Value, path: &[String], new: Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_mapping() {
        *value = Value::Mapping(Mapping::new());
    }
    if let Value::Mapping(map) = value {
        let slot = map.entry(Value::String(first.clone())).or_insert(Value::Null);
        set(slot, rest, new);
    }
}
