//! Expressions and templates: what `${{ }}` and bare expression places hold, evaluated over JSON.
//!
//! This room knows the form of the language and its filters, not which names exist: that is the checker's.

use std::sync::Arc;

use crate::diagnostic::{Language, spoken};
use crate::value::{Map, Value};

mod evaluate;
mod filters;
mod lexer;
mod mistake;
mod parser;
mod syntax;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use mistake::Mistake;
pub(crate) use syntax::{Name, Node, Operator, Tree};

/// Longer expressions overflow the evaluating crate's stack, which ends the process.
pub const BYTES_MAX: usize = 1_000;

/// A compiled bare expression.
#[derive(Clone, Debug)]
pub struct Expression {
    /// As written.
    pub text: String,
    /// Every dotted path that it reads, in order, each once: `[["steps", "align", "all", "bam"]]`.
    pub references: Vec<Vec<String>>,
    tree: Arc<Tree>,
    compiled: Arc<evaluate::Compiled>,
}

/// Text with `${{ expression }}` in it.
#[derive(Clone, Debug)]
pub struct Template {
    /// In order.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// As written.
    Text(String),
    /// `${{ … }}`
    Expression(Expression),
}

/// A piece of a rendered template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// What an expression gave.
    Value(Value),
}

/// Why an expression has no value.
#[derive(Debug, thiserror::Error)]
#[error("`{expression}`: {reason}")]
pub struct Error {
    /// As written.
    pub expression: String,
    /// In words.
    pub reason: String,
}

impl Error {
    fn of(text: &str, mistake: &Mistake) -> Self {
        let reason = spoken(&mistake.diagnostic.message, Language::En).to_owned();
        Self { expression: text.to_owned(), reason }
    }
}

impl Expression {
    /// Reads and compiles `text`.
    ///
    /// # Errors
    /// When it is not well formed, or longer or deeper than is safe.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|mistake| Error::of(text, &mistake))
    }

    /// Like [`Expression::parse`], with the place of the mistake.
    pub(crate) fn read(text: &str) -> Result<Self, Mistake> {
        if text.len() > BYTES_MAX {
            return Err(Mistake::too_long(text.len(), BYTES_MAX));
        }
        let tree = parser::parse(text)?;
        let mut references: Vec<Vec<String>> = Vec::new();
        for path in tree.paths() {
            let path: Vec<String> = path.iter().map(|name| name.text.clone()).collect();
            if !references.contains(&path) {
                references.push(path);
            }
        }
        let compiled = evaluate::compile(text).map_err(|reason| Mistake::refused(&reason, 0..text.len()))?;
        Ok(Self { text: text.to_owned(), references, tree: Arc::new(tree), compiled: Arc::new(compiled) })
    }

    /// Its form.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Its value over `scope` (`params`, `specimen`, `steps`, `resources`, `run` and the loop names). An absent value is `Null`.
    ///
    /// # Errors
    /// When it cannot be evaluated; a name that does not exist is one.
    pub fn evaluate(&self, scope: &Map) -> Result<Value, Error> {
        let value = self.compiled.evaluate(&self.references, scope);
        value.map_err(|reason| Error { expression: self.text.clone(), reason })
    }
}
