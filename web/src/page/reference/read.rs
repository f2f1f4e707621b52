//! Rows out of an OpenAPI document: operations with their parameters, bodies and answers; types with their members. Pure.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use crate::page::markup::{self, Markup};

const SCHEMAS: &str = "#/components/schemas/";

/// What a value is: in words of JSON, and the type that they name, if they name one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) text: String,
    pub(super) link: Option<String>,
}

/// A parameter, or a member of a type.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) says: String,
}

/// One of the answers.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) says: String,
    pub(super) kind: Kind,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) id: String,
    pub(super) noun: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) says: String,
    pub(super) parameters: Vec<Member>,
    pub(super) body: Option<Kind>,
    pub(super) answers: Vec<Answer>,
    /// Statuses of problems.
    pub(super) problems: String,
    /// For a shell.
    pub(super) example: String,
}

/// A type: its members, or those of each of its forms.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) says: String,
    /// What it is when it has no members.
    pub(super) kind: Kind,
    pub(super) forms: Vec<Form>,
}

/// One form of a type.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) says: String,
    pub(super) members: Vec<Member>,
}

/// A text of the document, with what stands between grave accents set as a word of a program.
pub(super) fn marked(says: &str) -> Markup {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => markup::text(part),
        _ => format!("<code>{}</code>", markup::text(part)),
    };
    askama::filters::Safe(says.split('`').enumerate().map(part).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a reference leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let to = value["$ref"].as_str().and_then(|to| document.pointer(to.trim_start_matches('#')));
    to.unwrap_or(value)
}

/// Every operation, in the order of paths.
pub(super) fn operations(document: &Value, base: &str) -> Vec<Described> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            found.push(described(document, base, (path, method), operation));
        }
    }
    found
}

fn described(document: &Value, base: &str, (path, method): (&str, &str), operation: &Value) -> Described {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|one| resolved(document, one)).map(|one| Member {
        name: text(&one["name"]),
        kind: kind(&one["schema"]),
        required: one["required"] == true,
        says: text(&one["description"]),
    });
    let (mut answers, mut problems) = (Vec::new(), Vec::new());
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let answer = resolved(document, answer);
        match answer["content"].as_object().and_then(|content| content.iter().next()) {
            Some((kind, _)) if kind == "application/problem+json" => problems.push(status.as_str()),
            Some((_, body)) if body["schema"].as_object().is_some_and(|schema| !schema.is_empty()) => {
                answers.push(Answer {
                    status: status.clone(),
                    says: text(&answer["description"]),
                    kind: kind(&body["schema"]),
                });
            }
            _ => {
                let kinds = answer["content"].as_object().into_iter().flatten().map(|(kind, _)| kind.as_str());
                let kind = Kind { text: kinds.collect::<Vec<_>>().join(", "), link: None };
                answers.push(Answer { status: status.clone(), says: text(&answer["description"]), kind });
            }
        }
    }
    let body = &operation["requestBody"]["content"]["application/json"];
    Described {
        id: text(&operation["operationId"]),
        noun: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        says: text(&operation["description"]),
        parameters: parameters.collect(),
        body: body["schema"].is_object().then(|| kind(&body["schema"])),
        answers,
        problems: problems.join(", "),
        example: example(base, (path, method), &body["example"]),
    }
}

/// A command for a shell: parts of the path are variables of it, and so is the token.
fn example(base: &str, (path, method): (&str, &str), body: &Value) -> String {
    let variable = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => format!("${}", name.to_uppercase()),
        None => part.to_owned(),
    };
    let path = path.split('/').map(variable).collect::<Vec<_>>().join("/");
    let mut command = "curl -H \"Authorization: Bearer $TOKEN\"".to_owned();
    if method == "post" {
        command.push_str(" -X POST");
    }
    if !body.is_null() {
        let body = body.to_string().replace('\'', "'\\''");
        command.push_str(&format!(" \\\n  -H \"Content-Type: application/json\" -d '{body}'"));
    }
    format!("{command} \\\n  \"{base}{path}\"")
}

/// What a schema says in the words of JSON: `string | null`, `RunView[]`.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix(SCHEMAS)) {
        return Kind { text: name.to_owned(), link: Some(name.to_owned()) };
    }
    for ways in ["anyOf", "oneOf", "allOf"] {
        if let Some(ways) = schema[ways].as_array() {
            let kinds: Vec<Kind> = ways.iter().map(kind).collect();
            let words = |kinds: &[Kind]| kinds.iter().map(|kind| kind.text.as_str()).collect::<Vec<_>>().join(" | ");
            return Kind { text: words(&kinds), link: kinds.into_iter().find_map(|kind| kind.link) };
        }
    }
    if let Some(one) = schema.get("const") {
        return Kind { text: one.to_string(), link: None };
    }
    if let Some(words) = schema["enum"].as_array() {
        return Kind { text: words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "), link: None };
    }
    let one = |word: &str| match word {
        "array" => {
            let within = if schema["prefixItems"].is_array() {
                Kind { text: "…".into(), link: None }
            } else {
                kind(&schema["items"])
            };
            let many = within.text.contains(" | ");
            Kind { text: if many { format!("({})[]", within.text) } else { format!("{}[]", within.text) }, ..within }
        }
        "object" if schema["additionalProperties"].is_object() => {
            let within = kind(&schema["additionalProperties"]);
            Kind { text: format!("{{ …: {} }}", within.text), ..within }
        }
        word => Kind { text: word.to_owned(), link: None },
    };
    match &schema["type"] {
        Value::String(word) if word == "integer" => Kind { text: within(schema), link: None },
        Value::String(word) => one(word),
        Value::Array(words) => {
            let kinds: Vec<Kind> = words.iter().filter_map(Value::as_str).map(one).collect();
            let words = kinds.iter().map(|kind| kind.text.as_str()).collect::<Vec<_>>().join(" | ");
            Kind { text: words, link: kinds.into_iter().find_map(|kind| kind.link) }
        }
        _ => Kind { text: "any".into(), link: None },
    }
}

/// A whole number, with its bounds where they are not just the machine's.
fn within(schema: &Value) -> String {
    let bound = |name: &str| schema[name].as_i64().filter(|bound| bound.unsigned_abs() < u64::from(u32::MAX) / 2);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("integer, {least} to {most}"),
        _ => "integer".to_owned(),
    }
}

/// The types that operations name, and those that these name, in that order.
pub(super) fn types(document: &Value, operations: &[Described]) -> Vec<Type> {
    let bodies = operations.iter().filter_map(|one| one.body.as_ref()).filter_map(|body| body.link.clone());
    let answers = operations.iter().flat_map(|one| &one.answers).filter_map(|answer| answer.kind.link.clone());
    let parameters = operations.iter().flat_map(|one| &one.parameters).filter_map(|one| one.kind.link.clone());
    let mut waiting: VecDeque<String> = bodies.chain(answers).chain(parameters).collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(name) = waiting.pop_front() {
        let schema = &document["components"]["schemas"][&name];
        if schema.is_null() || !seen.insert(name.clone()) {
            continue;
        }
        named(schema, &mut waiting);
        found.push(of(name, schema));
    }
    found
}

/// Every type that a schema names.
fn named(schema: &Value, found: &mut VecDeque<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(to) if key == "$ref" => found.extend(to.strip_prefix(SCHEMAS).map(str::to_owned)),
                    within => named(within, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        _ => {}
    }
}

fn of(name: String, schema: &Value) -> Type {
    let mut forms = Vec::new();
    if schema["properties"].is_object() {
        forms.push(Form { name: String::new(), says: String::new(), members: members(schema) });
    }
    for form in ["oneOf", "anyOf"].iter().filter_map(|ways| schema[*ways].as_array()).flatten() {
        let own = members(form);
        // A form is known by the one word that is always the same.
        let tag = own.iter().find(|member| member.required && member.kind.text.starts_with('"'));
        let name = tag.map_or_else(|| kind(form).text, |tag| tag.kind.text.clone());
        forms.push(Form { name: name.trim_matches('"').to_owned(), says: text(&form["description"]), members: own });
    }
    Type { name, says: text(&schema["description"]), kind: kind(schema), forms }
}

/// What must be there comes first.
fn members(schema: &Value) -> Vec<Member> {
    let required = schema["required"].as_array();
    let member = |(name, value): (&String, &Value)| Member {
        name: name.clone(),
        kind: kind(value),
        required: required.is_some_and(|all| all.iter().any(|one| one == name)),
        says: text(&value["description"]),
    };
    let mut all: Vec<Member> = schema["properties"].as_object().into_iter().flatten().map(member).collect();
    all.sort_by_key(|member| !member.required);
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_is_said_in_the_words_of_json() {
        let check = |schema: Value, wanted: &str, link: Option<&str>| {
            assert_eq!(kind(&schema), Kind { text: wanted.into(), link: link.map(str::to_owned) }, "{schema}");
        };
        let reference = json!({ "$ref": "#/components/schemas/RunView" });
        check(json!({ "type": ["string", "null"] }), "string | null", None);
        check(json!({ "type": "array", "items": reference }), "RunView[]", Some("RunView"));
        check(json!({ "anyOf": [reference, { "type": "null" }] }), "RunView | null", Some("RunView"));
        check(json!({ "type": "object", "additionalProperties": { "type": "integer" } }), "{ …: integer }", None);
        check(json!({ "enum": ["a", "b"] }), "\"a\" | \"b\"", None);
        check(json!({ "type": "integer", "minimum": 1, "maximum": 1000 }), "integer, 1 to 1000", None);
        check(json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }), "integer", None);
        check(json!({}), "any", None);
    }

    #[test]
    fn words_of_programs_are_set_apart_and_nothing_becomes_markup() {
        assert_eq!(marked("`a<b` is <i>").to_string(), "<code>a&#60;b</code> is &#60;i&#62;");
        assert_eq!(marked("plain").to_string(), "plain");
    }

    #[test]
    fn an_example_can_be_pasted() {
        let told = example("https://x", ("/api/v1/runs/{id}/hold", "post"), &json!({ "reason": "it's wrong" }));
        let wanted = "curl -H \"Authorization: Bearer $TOKEN\" -X POST \\\n  -H \"Content-Type: application/json\" \
                      -d '{\"reason\":\"it'\\''s wrong\"}' \\\n  \"https://x/api/v1/runs/$ID/hold\"";
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_form_is_known_by_its_word() {
        let schema = json!({ "oneOf": [
            { "description": "Pauses.", "properties": { "reason": { "type": "string" }, "request": { "const": "hold" } },
              "required": ["request"] },
            { "const": "x", "description": "X." },
        ] });
        let told = of("Request".into(), &schema);
        let names: Vec<&str> = told.forms.iter().map(|form| form.name.as_str()).collect();
        assert_eq!(names, ["hold", "x"]);
        assert_eq!(told.forms[0].members[0].name, "request");
    }
}
