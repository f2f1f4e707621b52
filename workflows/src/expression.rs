//! Expressions and templates: what `${{ }}` and bare expression places hold, evaluated over JSON.

use crate::value::{Map, Value};

/// A compiled bare expression.
#[derive(Clone, Debug)]
pub struct Expression {
    /// As written.
    pub text: String,
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

impl Expression {
    /// Its value over `scope` (`params`, `specimen`, `steps`, `resources`, `run` and the loop names). An absent value is `Null`.
    ///
    /// # Errors
    /// When it cannot be evaluated; a name that does not exist is one.
    pub fn evaluate(&self, scope: &Map) -> Result<Value, Error> {
        let _ = scope;
        Err(Error { expression: self.text.clone(), reason: String::new() })
    }
}
