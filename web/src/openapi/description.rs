//! Gathers operations, and the schemas of the types that they take and give, into one OpenAPI 3.1 document.
//!
//! It knows no route: each noun of the API describes its own, beside its handlers.

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::bounds::bounded;
use super::merge;
use crate::error::Body;

/// Where OpenAPI keeps schemas.
const SCHEMAS: &str = "/components/schemas";

/// How the API says no, wherever it says so: status, name, and what it means.
const REFUSALS: [(u16, &str, &str); 12] = [
    (400, "Bad", "The request cannot be understood."),
    (401, "Unknown", "Nobody who is known asks."),
    (403, "NotAllowed", "This person may not."),
    (404, "NotFound", "It is not there, or somebody else's."),
    (409, "Conflict", "Not in this state."),
    (410, "Gone", "It was there, and is not to be had any more."),
    (413, "TooLarge", "The body is larger than this takes."),
    (415, "OtherKind", "The body is not `application/json`."),
    (422, "Mistakes", "The document or the rows have mistakes; each one is listed."),
    (429, "TooMany", "More requests than this person may make at once: later."),
    (500, "Unexpected", "The site's own mistake or its machine's; the engine's log says why."),
    (503, "Unreachable", "The engine, or something that it needs, does not answer: later."),
];

/// What any request may be told.
const ANY: [u16; 6] = [400, 401, 403, 429, 500, 503];
/// What any request with a body may be told beside it.
const WITH_BODY: [u16; 2] = [413, 415];

/// A document that is being written.
pub(crate) struct Description {
    before: &'static str,
    paths: Map<String, Value>,
    nouns: Vec<Value>,
    noun: &'static str,
    /// Of what is given: a member that is always there is required.
    given: SchemaGenerator,
    /// Of what is taken: a member that has a default is not.
    taken: SchemaGenerator,
}

/// One operation of it; each of its words is written at once.
pub(crate) struct Operation<'a> {
    to: &'a mut Description,
    path: String,
    method: &'static str,
}

impl Description {
    /// Of routes beneath `before`.
    pub(crate) fn new(before: &'static str) -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = SCHEMAS.into());
        Self {
            before,
            paths: Map::new(),
            nouns: Vec::new(),
            noun: "",
            given: settings().for_serialize().into_generator(),
            taken: settings().for_deserialize().into_generator(),
        }
    }

    /// What follows is about this.
    pub(crate) fn noun(&mut self, name: &'static str, says: &str) {
        self.noun = name;
        self.nouns.push(json!({ "name": name, "description": says }));
    }

    pub(crate) fn get(&mut self, path: &str, id: &str, summary: &str) -> Operation<'_> {
        self.operation("get", path, id, summary)
    }

    pub(crate) fn post(&mut self, path: &str, id: &str, summary: &str) -> Operation<'_> {
        self.operation("post", path, id, summary)
    }

    fn operation(&mut self, method: &'static str, path: &str, id: &str, summary: &str) -> Operation<'_> {
        // A description has no word for a path of several parts.
        let path = format!("{}{}", self.before, path.replace("{*", "{"));
        let item = self.paths.entry(path.clone()).or_insert_with(|| json!({}));
        item[method] =
            json!({ "operationId": id, "summary": summary, "tags": [self.noun], "parameters": [], "responses": {} });
        Operation { to: self, path, method }.refuses(&ANY)
    }

    /// The document: `about` is what stands at its top.
    pub(crate) fn finish(mut self, about: &Value) -> Value {
        let mut schemas = self.given.take_definitions(true);
        let problem = self.given.subschema_for::<Body>();
        schemas.extend(self.given.take_definitions(true));
        let mut taken = Value::Object(self.taken.take_definitions(true));
        bounded(&mut taken);
        let taken = taken.as_object_mut().map(std::mem::take).unwrap_or_default();
        let mut paths = Value::Object(self.paths);
        merge::taken(&mut schemas, taken, &mut paths);
        let mut document = about.clone();
        document["tags"] = Value::Array(self.nouns);
        document["paths"] = paths;
        let refusals =
            REFUSALS.iter().map(|(status, name, says)| ((*name).to_owned(), refusal(*status, says, &problem)));
        document["components"] = json!({
            "securitySchemes": about["components"]["securitySchemes"],
            "responses": Map::from_iter(refusals),
            "schemas": schemas,
        });
        document
    }
}

fn refusal(status: u16, says: &str, problem: &schemars::Schema) -> Value {
    let mut refusal = json!({ "description": says, "content": { "application/problem+json": { "schema": problem } } });
    let header = |pattern: &str| json!({ "required": true, "schema": { "type": "string", "pattern": pattern } });
    match status {
        401 => refusal["headers"] = json!({ "WWW-Authenticate": header("^Bearer") }),
        429 => refusal["headers"] = json!({ "Retry-After": header("^[0-9]+$") }),
        _ => {}
    }
    refusal
}

impl Operation<'_> {
    fn written(&mut self) -> &mut Value {
        &mut self.to.paths[&self.path][self.method]
    }

    fn parameter(mut self, parameter: Value) -> Self {
        if let Some(all) = self.written()["parameters"].as_array_mut() {
            all.push(parameter);
        }
        self
    }

    /// More than the summary.
    pub(crate) fn says(mut self, text: &str) -> Self {
        self.written()["description"] = text.into();
        self
    }

    /// A part of the path.
    pub(crate) fn names(self, name: &str, says: &str) -> Self {
        // An empty part would be another path.
        let schema = json!({ "type": "string", "minLength": 1 });
        self.parameter(json!({ "name": name, "in": "path", "required": true, "description": says, "schema": schema }))
    }

    /// What may stand behind the `?`.
    pub(crate) fn asks<T: JsonSchema>(mut self) -> Self {
        let mut schema = T::json_schema(&mut self.to.taken).to_value();
        bounded(&mut schema);
        let required = schema["required"].take();
        let is_required = |name: &str| required.as_array().is_some_and(|all| all.iter().any(|one| one == name));
        for (name, mut schema) in schema["properties"].as_object_mut().map(std::mem::take).unwrap_or_default() {
            let says = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
            merge::without_null(&mut schema);
            self = self.parameter(json!({
                "name": name, "in": "query", "required": is_required(&name), "description": says, "schema": schema,
            }));
        }
        self
    }

    /// A JSON body; one that may be absent is `{}`.
    pub(crate) fn takes<T: JsonSchema>(mut self, required: bool, example: &Value) -> Self {
        let schema = self.to.taken.subschema_for::<T>();
        self.written()["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": schema, "example": example } },
        });
        self.refuses(&WITH_BODY)
    }

    /// JSON.
    pub(crate) fn gives<T: JsonSchema>(self, says: &str) -> Self {
        self.gives_with::<T>(StatusCode::OK, says)
    }

    /// JSON with a status.
    pub(crate) fn gives_with<T: JsonSchema>(mut self, status: StatusCode, says: &str) -> Self {
        let schema = self.to.given.subschema_for::<T>();
        let answer = json!({ "description": says, "content": { "application/json": { "schema": schema } } });
        self.written()["responses"][status.as_str()] = answer;
        self
    }

    /// Something that is described elsewhere, as these kinds of content.
    pub(crate) fn gives_as(mut self, kinds: &[&str], says: &str) -> Self {
        let content = kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": {} })));
        self.written()["responses"]["200"] = json!({ "description": says, "content": Map::from_iter(content) });
        self
    }

    /// A header of the answer.
    pub(crate) fn tells(mut self, header: &str, says: &str) -> Self {
        self.written()["responses"]["200"]["headers"][header] =
            json!({ "description": says, "required": true, "schema": { "type": "string" } });
        self
    }

    /// How it may say no, beside what any request may be told.
    pub(crate) fn refuses(mut self, statuses: &[u16]) -> Self {
        for (status, name, _) in REFUSALS.iter().filter(|(status, _, _)| statuses.contains(status)) {
            let reference = format!("#/components/responses/{name}");
            self.written()["responses"][status.to_string()] = json!({ "$ref": reference });
        }
        self
    }
}
