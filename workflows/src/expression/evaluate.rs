//! Evaluation through the template crate, over no more of the scope than the expression names.
//!
//! The crate aborts on deep nesting and lets undefined values out of strict mode; the parser limits the first, this file
//! refuses the second. It knows nothing of workflows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error as Failure, ErrorKind, Expression, UndefinedBehavior, Value as Inner};

use super::filters;
use crate::value::{Map, Value};

/// Instructions that one evaluation may spend.
const FUEL: u64 = 10_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    filters::install(&mut environment);
    environment
});

/// An expression ready to be evaluated.
pub(super) struct Compiled(Expression<'static, 'static>);

impl std::fmt::Debug for Compiled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Compiled")
    }
}

/// Compiles `text`, which the parser has accepted.
pub(super) fn compile(text: &str) -> Result<Compiled, String> {
    let compiled = ENVIRONMENT.compile_expression_owned(text.to_owned());
    compiled.map(Compiled).map_err(|failure| in_words(&failure))
}

impl Compiled {
    /// The names that the evaluating crate reads, sorted.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.undeclared_variables(true).into_iter().collect();
        names.sort();
        names
    }

    /// The value over `scope`, of which only `references` are looked at.
    pub(super) fn evaluate(&self, references: &[Vec<String>], scope: &Map) -> Result<Value, String> {
        match self.0.eval(context(references, scope)) {
            Ok(value) if value.is_undefined() => Err(missing(references, scope)),
            Ok(value) => to_json(&value),
            Err(failure) if failure.kind() == ErrorKind::UndefinedError => Err(missing(references, scope)),
            // `1 + undefined` is an operation on the wrong kinds to the crate; the reader wants the name.
            Err(failure) => match absent(references, scope) {
                Some(name) => Err(format!("{}; `{name}` does not exist", in_words(&failure))),
                None => Err(in_words(&failure)),
            },
        }
    }
}

fn in_words(failure: &Failure) -> String {
    failure.detail().map_or_else(|| failure.kind().to_string(), str::to_owned)
}

fn to_json(value: &Inner) -> Result<Value, String> {
    if f64::try_from(value.clone()).is_ok_and(|number| !number.is_finite()) && value.is_number() {
        return Err("the result is not a finite number".to_owned());
    }
    serde_json::to_value(value).map_err(|_| "the result is not a value".to_owned())
}

/// The part of the scope that an expression names.
#[derive(Default)]
struct Branch<'a> {
    leaf: Option<&'a Value>,
    below: BTreeMap<&'a str, Branch<'a>>,
}

/// Copies only what is named: a scope holds every output of every step, an expression looks at one or two.
fn context(references: &[Vec<String>], scope: &Map) -> Inner {
    let mut root = Branch::default();
    for reference in references {
        let mut branch = &mut root;
        let mut value: Option<&Value> = None;
        for (depth, name) in reference.iter().enumerate() {
            value = if depth == 0 { scope.get(name) } else { value.and_then(|value| value.get(name)) };
            branch = branch.below.entry(name).or_default();
        }
        branch.leaf = value;
    }
    branch_value(&root)
}

fn branch_value(branch: &Branch<'_>) -> Inner {
    if let Some(leaf) = branch.leaf {
        return Inner::from(Serde(leaf));
    }
    // An intermediate name always exists, so that `steps.mito.vcf | default(none)` works when `mito` never ran.
    let present = |(name, below): (&&str, &Branch<'_>)| {
        let exists = below.leaf.is_some() || !below.below.is_empty();
        exists.then(|| ((*name).to_owned(), branch_value(below)))
    };
    Inner::from_pairs(branch.below.iter().filter_map(present))
}

fn missing(references: &[Vec<String>], scope: &Map) -> String {
    let named = absent(references, scope).map(|name| format!("`{name}` does not exist"));
    named.unwrap_or_else(|| "the list has no such item".to_owned())
}

fn absent(references: &[Vec<String>], scope: &Map) -> Option<String> {
    let absent = references.iter().find(|reference| lookup(reference, scope).is_none());
    absent.map(|reference| reference.join("."))
}

fn lookup<'a>(reference: &[String], scope: &'a Map) -> Option<&'a Value> {
    let (root, rest) = reference.split_first()?;
    rest.iter().try_fold(scope.get(root)?, |value, name| value.get(name))
}
