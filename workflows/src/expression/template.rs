//! Text with `${{ expression }}` in it.

use std::ops::Range;

use super::mistake::Mistake;
use super::{BYTES_MAX, Error, Expression, Part, Piece, Template, lexer};
use crate::value::{Map, to_text};

const OPEN: &str = "${{";
const CLOSE: &str = "}}";
/// Bytes in which an expression must end: one that is too long is still told to be too long, not unclosed.
const WINDOW: usize = 4 * BYTES_MAX;
/// Each is compiled; more belong into a script.
const EXPRESSIONS_MAX: usize = 100;

impl Template {
    /// Reads `text`.
    ///
    /// # Errors
    /// When an expression is not closed or not well formed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map(|(template, _)| template).map_err(|mistake| Error::of(text, &mistake))
    }

    /// The template and, for each of its expressions, the byte of `text` at which it begins.
    pub(crate) fn read(text: &str) -> Result<(Self, Vec<usize>), Mistake> {
        let mut parts = Vec::new();
        let mut offsets = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(OPEN).map(|found| found + at) {
            if open > at {
                parts.push(Part::Text(text[at..open].to_owned()));
            }
            let inner = open + OPEN.len();
            let window = &text[inner..text.floor_char_boundary(inner.saturating_add(WINDOW))];
            let close = closing(window).ok_or_else(|| Mistake::unclosed_template(open..inner))? + inner;
            let body = trimmed(text, inner..close);
            let read = Expression::read(&text[body.clone()]).map_err(|mistake| mistake.moved(body.start))?;
            parts.push(Part::Expression(read));
            offsets.push(body.start);
            if offsets.len() > EXPRESSIONS_MAX {
                return Err(Mistake::too_complicated(open..close));
            }
            at = close + CLOSE.len();
        }
        if at < text.len() || parts.is_empty() {
            parts.push(Part::Text(text[at..].to_owned()));
        }
        Ok((Self { parts }, offsets))
    }

    /// Its pieces over `scope`, in order.
    ///
    /// # Errors
    /// When one of its expressions has no value.
    pub fn render(&self, scope: &Map) -> Result<Vec<Piece>, Error> {
        self.parts.iter().map(|part| part.render(scope)).collect()
    }

    /// Its text over `scope`; files by their name, absent values as nothing.
    ///
    /// # Errors
    /// When one of its expressions has no value.
    pub fn render_text(&self, scope: &Map) -> Result<String, Error> {
        let piece = |part: &Part| match part.render(scope)? {
            Piece::Text(text) => Ok(text),
            Piece::Value(value) => Ok(to_text(&value)),
        };
        self.parts.iter().map(piece).collect()
    }

    /// The expression, when the template is exactly one and no text around it.
    #[must_use]
    pub fn single(&self) -> Option<&Expression> {
        match self.parts.as_slice() {
            [Part::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    /// The text, when there is no expression in it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Every dotted path that its expressions read.
    pub fn references(&self) -> impl Iterator<Item = &Vec<String>> {
        self.expressions().flat_map(|expression| &expression.references)
    }

    /// Its expressions, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        })
    }
}

impl From<Expression> for Template {
    /// A template of one expression.
    fn from(expression: Expression) -> Self {
        Self { parts: vec![Part::Expression(expression)] }
    }
}

impl Part {
    fn render(&self, scope: &Map) -> Result<Piece, Error> {
        match self {
            Self::Text(text) => Ok(Piece::Text(text.clone())),
            Self::Expression(expression) => expression.evaluate(scope).map(Piece::Value),
        }
    }
}

/// Where the expression at the start of `rest` ends; quotes hide a `}}`.
fn closing(rest: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + rest[at..].find(['}', '"', '\''])?;
        if rest[found..].starts_with(CLOSE) {
            return Some(found);
        }
        at = match lexer::quoted(&rest[found..]) {
            Some(length) if !rest[found..].starts_with('}') => found + length,
            _ => found + 1,
        };
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let body = &text[range.clone()];
    let start = range.start + body.len() - body.trim_start().len();
    start..start + body.trim().len()
}
