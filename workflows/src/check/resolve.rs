//! From a dotted path to what it names: params, specimen, steps, loop items.

use std::ops::Range;

use super::checker::SUGGESTED_FROM_MAX;
use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::expression::Name;
use crate::workflow::Use;

const ROOTS: [&str; 5] = ["params", "specimen", "steps", "resources", "run"];
/// Cores, and bytes.
const RESOURCES: [&str; 3] = ["cpus", "memory", "disk"];
const RUN: [&str; 3] = ["id", "workflow", "version"];

impl Scope<'_, '_> {
    /// The type of what `path` names; what is wrong with it is noted. `guarded`: its absence is provided for.
    pub(super) fn resolve(&mut self, path: &[Name], guarded: bool) -> Type {
        let Some((root, rest)) = path.split_first() else { return Type::Any };
        if let Some((_, kind)) = self.loops.iter().find(|(name, _)| *name == root.text) {
            return self.descend(kind.clone(), rest, &root.text);
        }
        let Some(first) = rest.first() else { return self.alone(root) };
        match root.text.as_str() {
            "steps" => self.step(first, &rest[1..], path, guarded),
            "params" | "specimen" => self.declared(root, first, rest, path, guarded),
            "resources" if !self.has_resources => self.no_resources(root),
            "resources" => self.fact(first, &RESOURCES, "resources", Type::Number),
            "run" => self.fact(first, &RUN, "run", Type::Text),
            _ => self.alone(root),
        }
    }

    fn alone(&mut self, root: &Name) -> Type {
        let text = root.text.as_str();
        if ROOTS.contains(&text) {
            let found = Diagnostic::error(
                "K026",
                format!("`{text}` alone is not a value"),
                format!("`{text}` だけでは値になりません"),
            )
            .help(format!("name what you need: {text}.…"), format!("必要なものを指定します: {text}.…"));
            self.note(found, root.span.clone());
            return Type::Any;
        }
        let names = &self.checker.names;
        let home = if names.params.contains_key(text) {
            Some("params")
        } else if names.specimen.contains_key(text) {
            Some("specimen")
        } else {
            names.step_at.contains_key(text).then_some("steps")
        };
        let found = Diagnostic::error(
            "K013",
            format!("`{text}` is not a name here"),
            format!("`{text}` という名前はここにはありません"),
        );
        let found = match home {
            Some(home) => found.help(format!("write: {home}.{text}"), format!("こう書きます: {home}.{text}")),
            None => found.help("text needs quotes", "文字列なら引用符で囲みます"),
        };
        let loops: Vec<String> = self.loops.iter().map(|(name, _)| name.clone()).collect();
        let known: Vec<&str> = loops.iter().map(String::as_str).chain(ROOTS).collect();
        self.note_unknown(found, text, &known, root.span.clone());
        Type::Any
    }

    fn no_resources(&mut self, root: &Name) -> Type {
        let (en, ja) = ("`resources` is not known here", "`resources` はここではまだ決まっていません");
        let found = Diagnostic::error("K013", en, ja).help(
            "it is known in inputs, outputs, env and command of a script or command",
            "script と command の inputs、outputs、env、command の中で使えます",
        );
        self.note(found, root.span.clone());
        Type::Any
    }

    fn fact(&mut self, name: &Name, known: &[&str], root: &str, kind: Type) -> Type {
        if !known.contains(&name.text.as_str()) {
            self.unknown(name, known, root);
        }
        kind
    }

    fn unknown(&mut self, name: &Name, known: &[&str], of: &str) -> Type {
        let found = Diagnostic::error(
            "K013",
            format!("`{of}` has no `{}`", name.text),
            format!("`{of}` に `{}` はありません", name.text),
        );
        let shown: Vec<&str> = known.iter().take(12).copied().collect();
        let listed = if shown.is_empty() { "-".to_owned() } else { shown.join(", ") };
        let found = found.help(format!("it has: {listed}"), format!("あるもの: {listed}"));
        self.note_unknown(found, &name.text, known, name.span.clone());
        Type::Any
    }

    fn declared(&mut self, root: &Name, first: &Name, rest: &[Name], path: &[Name], guarded: bool) -> Type {
        let names = &self.checker.names;
        let table = if root.text == "params" { &names.params } else { &names.specimen };
        let Some(known) = table.get(&first.text).cloned() else {
            let known: Vec<String> = table.keys().take(SUGGESTED_FROM_MAX).cloned().collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return self.unknown(first, &known, &root.text);
        };
        if known.optional && !guarded && !self.is_asked_about(path) {
            let written = dotted(path);
            let found = Diagnostic::error(
                "K041",
                format!("`{written}` may be absent"),
                format!("`{written}` は与えられないことがあります"),
            );
            let help = absent_help(&written);
            self.note(found.help(help.0, help.1), whole(path));
        }
        if let (Type::Reference, Some(role)) = (&known.kind, rest.get(1)) {
            self.role(&first.text, role);
        }
        self.descend(known.kind, &rest[1..], &format!("{}.{}", root.text, first.text))
    }

    /// A role that the default bundle lacks; another bundle may have it, so this is a warning.
    fn role(&mut self, param: &str, role: &Name) {
        let bundle = self.checker.names.bundles.get(param).cloned().unwrap_or_default();
        let Some(registered) = self.checker.site.references.as_ref().and_then(|known| known.get(&bundle)) else {
            return;
        };
        if registered.roles.contains_key(&role.text) {
            return;
        }
        let known: Vec<&str> = registered.roles.keys().map(String::as_str).collect();
        let (name, listed) = (&role.text, known.join(", "));
        let found = Diagnostic::warning(
            "K056",
            format!("bundle `{bundle}` of this site has no `{name}`"),
            format!("このサイトの `{bundle}` に `{name}` はありません"),
        )
        .help(format!("it has: {listed}"), format!("あるもの: {listed}"));
        self.note_unknown(found, name, &known, role.span.clone());
    }

    fn descend(&mut self, kind: Type, rest: &[Name], of: &str) -> Type {
        let Some((name, rest)) = rest.split_first() else { return kind };
        let below = format!("{of}.{}", name.text);
        match kind {
            Type::Any => Type::Any,
            Type::Reference => self.descend(Type::File, rest, &below),
            Type::Record(fields) => match fields.iter().find(|(field, _)| *field == name.text) {
                Some((_, kind)) => self.descend(kind.clone(), rest, &below),
                None => {
                    let known: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
                    self.unknown(name, &known, of)
                }
            },
            other => {
                let (en, ja) = other.words();
                let found = Diagnostic::error(
                    "K013",
                    format!("`{of}` is {en} and has no `{}`", name.text),
                    format!("`{of}` は{ja}で、`{}` はありません", name.text),
                );
                let found = match other {
                    Type::List(_) => found.help(
                        format!("loop over it: for_each: {{ item: {of} }}"),
                        format!("繰り返します: for_each: {{ item: {of} }}"),
                    ),
                    _ => found,
                };
                self.note(found, name.span.clone());
                Type::Any
            }
        }
    }

    /// `Attribute` of something that is not a path.
    pub(super) fn attribute(&mut self, kind: Type, name: &Name) -> Type {
        self.descend(kind, std::slice::from_ref(name), "…")
    }

    fn step(&mut self, id: &Name, rest: &[Name], path: &[Name], guarded: bool) -> Type {
        let Some(at) = self.checker.names.step_at.get(&id.text).copied() else {
            let found = Diagnostic::error(
                "K012",
                format!("step `{}` does not exist", id.text),
                format!("ステップ `{}` はありません", id.text),
            );
            let names = self.checker.names.step_ids();
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            self.note_unknown(found, &id.text, &known, id.span.clone());
            return Type::Any;
        };
        let mode = rest.first().map(|name| name.text.as_str()).filter(|name| matches!(*name, "each" | "all"));
        self.add_use(Use { step: id.text.clone(), each: mode == Some("each") });
        let scattered = !self.checker.names.steps[at].loops.is_empty();
        let (output, rest) = match (mode, rest) {
            (Some(_), [mode, ..]) if !scattered => return self.not_scattered(id, mode),
            (Some(_), [_, output, rest @ ..]) | (None, [output, rest @ ..]) => (output, rest),
            _ => return self.bare_step(at, path),
        };
        let outline = &self.checker.names.steps[at];
        let Some(found) = outline.output(&output.text).cloned() else {
            let known: Vec<String> =
                outline.outputs.iter().take(SUGGESTED_FROM_MAX).map(|(name, _)| name.clone()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return self.unknown(output, &known, &format!("steps.{}", id.text));
        };
        self.checker.used.insert((at, output.text.clone()));
        match mode {
            None if scattered => return self.scattered(at, output, path),
            Some("each") => self.each(at, path),
            _ => {}
        }
        self.absence(at, found.optional, path, guarded);
        let kind = if mode == Some("all") { Type::List(Box::new(found.kind)) } else { found.kind };
        self.descend(kind, rest, &format!("steps.{}.{}", id.text, output.text))
    }

    fn bare_step(&mut self, at: usize, path: &[Name]) -> Type {
        let outline = &self.checker.names.steps[at];
        let written = dotted(path);
        let mut remedies: Vec<String> =
            outline.outputs.iter().take(4).map(|(name, _)| format!("{written}.{name}")).collect();
        if remedies.is_empty() {
            remedies.push(format!("after: [{}]", outline.id));
        }
        let listed = remedies.join(", ");
        let found = Diagnostic::error(
            "K026",
            format!("`{written}` alone is not a value"),
            format!("`{written}` だけでは値になりません"),
        )
        .help(format!("write: {listed}"), format!("こう書きます: {listed}"));
        self.note(found, whole(path));
        Type::Any
    }

    fn not_scattered(&mut self, id: &Name, mode: &Name) -> Type {
        let found = Diagnostic::error(
            "K022",
            format!("`{}` runs once, so it has no `{}`", id.text, mode.text),
            format!("`{}` は 1 回だけ実行されるので `{}` はありません", id.text, mode.text),
        )
        .help(format!("write: steps.{}.…", id.text), format!("こう書きます: steps.{}.…", id.text));
        self.note(found, mode.span.clone());
        Type::Any
    }

    fn scattered(&mut self, at: usize, output: &Name, path: &[Name]) -> Type {
        let outline = &self.checker.names.steps[at];
        let (id, name) = (&outline.id, &output.text);
        let items = outline.loops.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let written = dotted(path);
        let found = Diagnostic::error(
            "K021",
            format!("`{id}` runs once per {items}, so `{written}` is not one file"),
            format!("`{id}` は {items} ごとに実行されるので、`{written}` は 1 つに決まりません"),
        )
        .help(
            format!("this {items} only: steps.{id}.each.{name}\nevery {items}:     steps.{id}.all.{name}"),
            format!("この {items} だけ: steps.{id}.each.{name}\nすべての {items}: steps.{id}.all.{name}"),
        );
        self.note(found, whole(path));
        Type::Any
    }

    fn each(&mut self, at: usize, path: &[Name]) {
        let outline = &self.checker.names.steps[at];
        let own = self.step.map(|step| &self.checker.names.steps[step].loops);
        if own == Some(&outline.loops) {
            return;
        }
        let (id, items) = (
            &outline.id,
            outline.loops.iter().map(|(name, list)| format!("{name}: {list}")).collect::<Vec<_>>().join(", "),
        );
        let written = dotted(path);
        let every = written.replacen(".each.", ".all.", 1);
        let found = Diagnostic::error(
            "K022",
            format!("`{written}` needs the same `for_each` as `{id}`"),
            format!("`{written}` を使うには `{id}` と同じ `for_each` が必要です"),
        )
        .help(
            format!("the matching item: for_each: {{ {items} }}\nevery item:        {every}"),
            format!("対応する項目: for_each: {{ {items} }}\nすべての項目: {every}"),
        );
        self.note(found, whole(path));
    }

    fn absence(&mut self, at: usize, optional: bool, path: &[Name], guarded: bool) {
        let outline = &self.checker.names.steps[at];
        let same_condition = || self.step.is_some_and(|step| self.checker.names.steps[step].when == outline.when);
        let skippable = outline.when.is_some() && !same_condition();
        if guarded || !(skippable || optional) || self.is_asked_about(path) {
            return;
        }
        let (written, other, line) = (dotted(path), outline.id.clone(), outline.line);
        let user = self.step.map_or("outputs", |step| &self.checker.names.steps[step].id).to_owned();
        let (en, ja) = if skippable {
            (
                format!("`{other}` may be skipped (line {line})"),
                format!("`{other}` は実行されないことがあります ({line} 行目)"),
            )
        } else {
            (
                format!("`{other}` may not make it (line {line})"),
                format!("`{other}` はそれを作らないことがあります ({line} 行目)"),
            )
        };
        let found = Diagnostic::error(
            "K041",
            format!("`{user}` needs {written}, but {en}"),
            format!("`{user}` は {written} を必要としますが、{ja}"),
        );
        let help = absent_help(&written);
        self.note(found.help(help.0, help.1), whole(path));
    }
}

fn absent_help(written: &str) -> (String, String) {
    (
        format!("write: {written} | default(none), use `optional: true` or `files_if_made`, or ask about it in `when`"),
        format!(
            "{written} | default(none) とするか、`optional: true` や `files_if_made` を使うか、`when` で確かめます"
        ),
    )
}

pub(super) fn dotted(path: &[Name]) -> String {
    path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}

fn whole(path: &[Name]) -> Range<usize> {
    let start = path.first().map_or(0, |name| name.span.start);
    start..path.last().map_or(start, |name| name.span.end)
}
