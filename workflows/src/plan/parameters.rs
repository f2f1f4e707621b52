//! Parameters of a run: what was given, typed; what was not, by default; references as files of a bundle.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::plan::typed;
use crate::plan::words::{Wrong, did_you_mean, shown};
use crate::site::{Bundle, Site};
use crate::value::{FileValue, Map, Value, to_text};
use crate::workflow::{Param, ParamKind, Workflow};

/// Looks at a file that a parameter names; the error is shown to a person.
type FileOf<'a> = &'a dyn Fn(&str) -> Result<FileValue, String>;

/// Parameters from texts, as `--param name=text` gives them.
///
/// # Errors
/// Every unknown, missing or wrong parameter.
pub fn resolve_params(
    workflow: &Workflow,
    given: &BTreeMap<String, String>,
    site: &Site,
    file: FileOf<'_>,
) -> Result<Map, Vec<Diagnostic>> {
    let given = given.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect();
    resolve_values(workflow, &given, site, file)
}

/// Parameters from values, as a `call` step passes them: text is read as on the command line, anything else is a value of its type.
///
/// # Errors
/// Every unknown, missing or wrong parameter.
pub fn resolve_values(workflow: &Workflow, given: &Map, site: &Site, file: FileOf<'_>) -> Result<Map, Vec<Diagnostic>> {
    let mut notes: Vec<Diagnostic> = given
        .keys()
        .filter(|name| !workflow.params.iter().any(|param| param.name == **name))
        .map(|name| unknown(workflow, name))
        .collect();
    let mut resolved = Map::new();
    for param in &workflow.params {
        match resolve(param, given.get(&param.name), site, file) {
            Ok(value) => drop(resolved.insert(param.name.clone(), value)),
            Err(note) => notes.push(*note),
        }
    }
    if notes.is_empty() {
        Ok(resolved)
    } else {
        Err(notes.into_iter().map(|note| note.at_line(&workflow.path, 1, 1)).collect())
    }
}

fn resolve(param: &Param, given: Option<&Value>, site: &Site, file: FileOf<'_>) -> Result<Value, Box<Diagnostic>> {
    match (given.filter(|value| !value.is_null()), &param.default) {
        (Some(value), _) => typed_value(param, value, site, file),
        // A default is already of its type, but a reference or a file is still a name.
        (None, Some(default)) if is_named(param) => typed_value(param, default, site, file),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) if param.required => Err(Box::new(missing(param))),
        (None, None) => Ok(Value::Null),
    }
}

fn is_named(param: &Param) -> bool {
    matches!(param.kind, ParamKind::File | ParamKind::Reference)
}

fn typed_value(param: &Param, value: &Value, site: &Site, file: FileOf<'_>) -> Result<Value, Box<Diagnostic>> {
    let refused = |wrong: Wrong| Box::new(mistyped(param, &wrong));
    match (&param.kind, value) {
        (ParamKind::Reference, Value::String(name)) => reference(param, name, site),
        (ParamKind::File, Value::String(path)) => {
            let found = file(path);
            found.map(|file| file.to_value()).map_err(|reason| Box::new(no_file(param, path, &reason)))
        }
        (ParamKind::Reference | ParamKind::File, Value::Object(_)) => Ok(value.clone()),
        (_, Value::String(text)) => typed::parse(param, text).map_err(refused),
        (ParamKind::Duration, Value::Number(seconds)) => typed::parse(param, &format!("{seconds}s")).map_err(refused),
        (_, other) => typed::parse(param, &to_text(other)).map_err(refused),
    }
}

/// A bundle as an object of role → file. A site that is not known gives no files, so that a check without one can pass.
fn reference(param: &Param, name: &str, site: &Site) -> Result<Value, Box<Diagnostic>> {
    let Some(references) = &site.references else { return Ok(Value::Object(Map::new())) };
    let bundle = references.get(name).ok_or_else(|| Box::new(unknown_reference(param, name, references)))?;
    let roles = bundle.roles.iter().map(|(role, file)| (role.clone(), bundle_file(bundle, file).to_value()));
    Ok(Value::Object(roles.collect()))
}

fn bundle_file(bundle: &Bundle, file: &str) -> FileValue {
    let directory = bundle.directory.trim_end_matches('/');
    FileValue {
        name: file.rsplit('/').next().unwrap_or(file).to_owned(),
        path: Some(format!("{directory}/{file}")),
        sha256: None,
        size: None,
        bundle: Some(bundle.directory.clone()),
        dir: false,
    }
}

fn unknown(workflow: &Workflow, name: &str) -> Diagnostic {
    let (en, ja) = did_you_mean(name, workflow.params.iter().map(|param| param.name.as_str()));
    let (id, name) = (&workflow.id, shown(name));
    Diagnostic::error(
        "P201",
        format!("workflow `{id}` has no parameter `{name}`{en}"),
        format!("ワークフロー `{id}` にパラメータ `{name}` はありません{ja}"),
    )
}

fn missing(param: &Param) -> Diagnostic {
    let name = &param.name;
    Diagnostic::error(
        "P202",
        format!("the parameter `{name}` must be given"),
        format!("パラメータ `{name}` を指定してください"),
    )
    .help(format!("--param {name}=VALUE"), format!("--param {name}=値"))
}

fn mistyped(param: &Param, wrong: &Wrong) -> Diagnostic {
    let name = &param.name;
    Diagnostic::error("P203", format!("parameter `{name}`: {}", wrong.en), format!("パラメータ `{name}`: {}", wrong.ja))
}

fn unknown_reference(param: &Param, wanted: &str, references: &BTreeMap<String, Bundle>) -> Diagnostic {
    let (en, ja) = did_you_mean(wanted, references.keys().map(String::as_str));
    let (name, wanted) = (&param.name, shown(wanted));
    let command = if wanted.contains('@') {
        format!("kentai reference add {wanted} FASTA")
    } else {
        "kentai reference add NAME@VERSION FASTA".into()
    };
    Diagnostic::error(
        "P204",
        format!("parameter `{name}`: the reference `{wanted}` is not registered at this site{en}"),
        format!("パラメータ `{name}`: リファレンス `{wanted}` はこのサイトに登録されていません{ja}"),
    )
    .help(format!("register it: {command}"), format!("登録するには: {command}"))
}

fn no_file(param: &Param, path: &str, reason: &str) -> Diagnostic {
    let (name, path) = (&param.name, shown(path));
    Diagnostic::error(
        "P205",
        format!("parameter `{name}`: the file `{path}` cannot be used: {reason}"),
        format!("パラメータ `{name}`: ファイル `{path}` を使えません: {reason}"),
    )
}
