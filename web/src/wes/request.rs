//! `RunRequest` as a form: which workflow, over which specimen, with which parameters.
//!
//! Attachments are texts of workflows by their names; a name is compared, and never opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use kentai_engine::scheduler::handle::{Definition, Submit};
use kentai_engine::scheduler::registered;
use kentai_engine::view::wes::{ENGINE, TYPE, TYPE_VERSION};
use kentai_workflows::diagnostic::Diagnostic;
use kentai_workflows::value::{Map, Value, to_text};
use kentai_workflows::workflow::{ParamKind, Workflow};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;

/// Workflows of one request.
const ATTACHMENTS_MAX: usize = 100;
/// Mistakes that are said; the others often have the same cause.
const MISTAKES_MAX: usize = 20;

/// What was sent.
#[derive(Debug, Default)]
struct Sent {
    fields: BTreeMap<String, String>,
    /// Name → text.
    attached: BTreeMap<String, String>,
}

/// `workflow_params`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Known here.
    specimen: String,
    /// Texts, numbers and truth values.
    #[serde(default)]
    params: Map,
    /// What makes it another run; the same key with the same is the same run.
    #[serde(default)]
    key: String,
}

/// The submission that a request asks for.
pub(super) async fn read(app: &App, request: Request) -> Result<Submit, Problem> {
    let sent = Sent::of(request).await?;
    sent.is_ours()?;
    let wanted = sent.wanted()?;
    let params = texts(&wanted.params)?;
    let url = sent.field("workflow_url").ok_or_else(|| Problem::bad("workflow_url is missing"))?;
    let reader = app.engine.reader();
    let Some(source) = sent.attached.get(url) else {
        let submit = registered::by_request(reader, url, &wanted.specimen, &wanted.key, params).await?;
        let workflow = checked(app, &submit)?;
        return no_files(&workflow, |name| submit.params.contains_key(name)).map(|()| submit);
    };
    let specimen = registered::specimen_of(reader, &wanted.specimen).await?;
    let submit = Submit {
        path: url.to_owned(),
        source: source.clone(),
        called: sent.beside(url),
        specimens: vec![(specimen, format!("wes/{}", wanted.key))],
        params,
    };
    // Whoever wrote it may have written a place of this machine into it, as a default or for what it calls.
    let workflow = checked(app, &submit)?;
    no_files_within(&workflow).map(|()| submit)
}

impl Sent {
    async fn of(request: Request) -> Result<Self, Problem> {
        let refused = |error: &MultipartError| Problem::body(error.status(), error.body_text());
        let parts = Multipart::from_request(request, &()).await;
        let mut parts = parts.map_err(|error| Problem::body(error.status(), error.body_text()))?;
        let mut sent = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|error| refused(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let text = text(part).await?;
            let known = if name == "workflow_attachment" {
                let file = file.ok_or_else(|| Problem::bad("an attachment has no filename"))?;
                sent.attached.insert(relative(&file)?, text)
            } else {
                sent.fields.insert(name.clone(), text)
            };
            if known.is_some() {
                return Err(Problem::bad(format!(
                    "`{}` is there twice, or two attachments have one name",
                    name.escape_debug()
                )));
            }
            if sent.attached.len() > ATTACHMENTS_MAX {
                return Err(Problem::bad(format!("there are more than {ATTACHMENTS_MAX} attachments")));
            }
        }
        Ok(sent)
    }

    /// A field that says something.
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// It is for an engine like this one, and asks for nothing that would be passed over in silence.
    fn is_ours(&self) -> Result<(), Problem> {
        let must = |name: &str, wanted: &str| match self.field(name) {
            Some(found) if found == wanted => Ok(()),
            found => Err(Problem::bad(format!(
                "{name} is `{wanted}` here, and not `{}`",
                found.unwrap_or_default().escape_debug()
            ))),
        };
        must("workflow_type", TYPE)?;
        must("workflow_type_version", TYPE_VERSION)?;
        let (engine, version) = (self.field("workflow_engine"), self.field("workflow_engine_version"));
        if engine.is_some() {
            must("workflow_engine", ENGINE)?;
        }
        if version.is_some() {
            must("workflow_engine_version", env!("CARGO_PKG_VERSION"))?;
        }
        for name in ["tags", "workflow_engine_parameters"] {
            let said: Map = self.json(name)?.unwrap_or_default();
            if !said.is_empty() {
                return Err(Problem::bad(format!("{name} are not kept here: leave them out")));
            }
        }
        Ok(())
    }

    fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.field(name) else { return Ok(None) };
        let read = serde_json::from_str(text);
        read.map(Some).map_err(|error| Problem::bad(format!("{name} cannot be understood: {error}")))
    }

    fn wanted(&self) -> Result<Wanted, Problem> {
        let said: Option<Map> = self.json("workflow_params")?;
        let said =
            said.ok_or_else(|| Problem::bad("workflow_params is missing: {\"specimen\": …, \"params\": {…}}"))?;
        let read = serde_json::from_value(Value::Object(said));
        read.map_err(|error| Problem::bad(format!("workflow_params cannot be understood: {error}")))
    }

    /// What a workflow may call: the other attachments, by their names and by their names as seen from beside it.
    fn beside(&self, url: &str) -> BTreeMap<String, (String, String)> {
        let folder = url.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let mut called = BTreeMap::new();
        for (name, text) in self.attached.iter().filter(|(name, _)| *name != url) {
            let seen = name.strip_prefix(&folder).unwrap_or(name);
            called.insert(seen.to_owned(), (name.clone(), text.clone()));
        }
        called
    }
}

async fn text(part: Field<'_>) -> Result<String, Problem> {
    let bytes = part.bytes().await.map_err(|error| Problem::body(error.status(), error.body_text()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::bad("a part of the form is no UTF-8 text"))
}

/// A name without a way out of where it is. Nothing is opened by it: it is refused so that nobody believes that it is.
fn relative(name: &str) -> Result<String, Problem> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let good = !name.is_empty() && Path::new(name).components().all(plain) && !name.contains(['\\', '\0']);
    if good {
        Ok(name.to_owned())
    } else {
        Err(Problem::bad(format!("an attachment cannot be called `{}`", name.escape_debug())))
    }
}

/// Parameters as the command line gives them.
fn texts(params: &Map) -> Result<BTreeMap<String, String>, Problem> {
    let mut texts = BTreeMap::new();
    for (name, value) in params {
        if matches!(value, Value::Array(_) | Value::Object(_) | Value::Null) {
            return Err(Problem::bad(format!("parameter `{}` is no text, number or truth value", name.escape_debug())));
        }
        texts.insert(name.clone(), to_text(value));
    }
    Ok(texts)
}

fn checked(app: &App, submit: &Submit) -> Result<std::sync::Arc<Workflow>, Problem> {
    let Submit { path, source, called, .. } = submit.clone();
    let checked = app.engine.check(&Definition { path, source, called });
    checked.workflow.ok_or_else(|| mistakes(&checked.diagnostics))
}

/// A parameter that is a file names a place of the site's disk: whoever asks from outside has none to name.
fn no_files(workflow: &Workflow, is_given: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let file = workflow.params.iter().find(|param| param.kind == ParamKind::File && is_given(&param.name));
    match file {
        None => Ok(()),
        Some(param) => Err(Problem::bad(format!(
            "parameter `{}` is a file of this machine, which WES cannot name: use its default, or `kentai submit`",
            param.name
        ))),
    }
}

/// The same for a workflow that was sent, and everything that it calls.
fn no_files_within(workflow: &Workflow) -> Result<(), Problem> {
    let (mut waiting, mut seen) = (vec![workflow], BTreeSet::new());
    while let Some(one) = waiting.pop() {
        if seen.insert(&one.digest) {
            no_files(one, |_| true)?;
            waiting.extend(one.calls.values().map(AsRef::as_ref));
        }
    }
    Ok(())
}

/// Mistakes of a workflow or its parameters, in words: the standard has no other place for them.
pub(super) fn mistakes(diagnostics: &[Diagnostic]) -> Problem {
    let said: Vec<String> =
        diagnostics.iter().take(MISTAKES_MAX).map(|found| format!("{}: {}", found.code, found.message.en)).collect();
    Problem::bad(said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        for name in ["a.yaml", "flows/a.yaml"] {
            assert_eq!(relative(name).ok().as_deref(), Some(name));
        }
        for name in ["", "/etc/passwd", "../a.yaml", "flows/../../a", "./a.yaml", "a\\b", "a\0"] {
            assert!(relative(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_is_called_is_found_from_beside_its_caller() {
        let texts = ["flows/main.yaml", "flows/sub.yaml", "other.yaml"].map(|name| (name.to_owned(), name.to_owned()));
        let sent = Sent { attached: texts.into(), ..Sent::default() };
        let called = sent.beside("flows/main.yaml");
        assert_eq!(called.keys().collect::<Vec<_>>(), ["other.yaml", "sub.yaml"]);
        assert_eq!(called["sub.yaml"].0, "flows/sub.yaml");
    }

    #[test]
    fn parameters_are_told_as_on_the_command_line() {
        let params = serde_json::json!({ "n": 3, "s": "x", "b": true, "f": 0.5 });
        let told = params.as_object().map(texts).and_then(Result::ok).unwrap_or_default();
        assert_eq!(told.values().collect::<Vec<_>>(), ["true", "0.5", "3", "x"]);
        let list = serde_json::json!({ "l": [1] });
        assert!(list.as_object().is_some_and(|list| texts(list).is_err()));
    }
}
