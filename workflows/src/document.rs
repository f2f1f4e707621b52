//! YAML as written: a tree whose every key and value remembers its bytes.
//!
//! Numbers and booleans stay text here (`1.10` is `1.10`, `no` is `no`); what a place expects is the grammar's business. Limits
//! are enforced while reading, so that whoever walks the tree may recurse.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Lines};

mod build;
mod decode;
mod form;
pub mod grammar;
mod syntax_error;
#[cfg(test)]
mod tests;

pub(crate) use form::{check as check_form, did_you_mean, is_id};

/// Largest file, bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// Most keys and values, aliases expanded.
pub const NODES_MAX: usize = 20_000;
/// Deepest nesting.
pub const DEPTH_MAX: usize = 64;
/// Largest text that aliases may expand to, bytes.
pub const EXPANDED_BYTES_MAX: usize = 4 << 20;

/// A file as it was read.
#[derive(Debug)]
pub struct Document {
    /// The path it was given under.
    pub path: String,
    /// Its text; empty when it is not text.
    pub source: String,
    /// Where its lines begin.
    pub lines: Lines,
    /// The tree; `None` when it could not be read to its end.
    pub root: Option<Node>,
    /// What is wrong with it as YAML.
    pub findings: Vec<Diagnostic>,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it holds.
    pub content: Content,
    /// Bytes of the source; for a block text from its first character.
    pub span: Range<usize>,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing, `~` or `null`.
    Null,
    /// Any scalar.
    Text(Arc<str>),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in file order.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: Arc<str>,
    /// Bytes of the key.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of `key`, when this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// Its entries; none when it is not a map.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    /// Its items; none when it is not a list.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// Its text, when it is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }
}

impl Document {
    /// Bytes of the source at which the bytes `range` of `node`'s text stand.
    ///
    /// Exact where the text stands in the source as it is, which is everywhere but in escapes and folded lines; there the place is
    /// searched from where it can be earliest.
    #[must_use]
    pub fn locate(&self, node: &Node, range: Range<usize>) -> Range<usize> {
        let (Some(text), Some(written)) = (node.text(), self.source.get(node.span.clone())) else {
            return node.span.clone();
        };
        let quote = usize::from(written.starts_with(['"', '\'']) && !text.starts_with(['"', '\'']));
        let wanted = text.get(range.clone()).unwrap_or("");
        let earliest = (quote + range.start).min(written.len());
        let found = written.get(earliest..).and_then(|rest| rest.find(wanted));
        match found {
            Some(offset) => {
                let start = node.span.start + earliest + offset;
                start..start + wanted.len()
            }
            None => node.span.clone(),
        }
    }

    /// A diagnostic placed at `span`.
    #[must_use]
    pub fn place(&self, diagnostic: Diagnostic, span: Range<usize>) -> Diagnostic {
        diagnostic.at_lines(&*self.path, &self.lines, &self.source, span)
    }

    /// 1-based line of a byte offset.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.lines.line(offset)
    }
}

/// Reads `bytes`, which may be anything.
#[must_use]
pub fn parse(path: &str, bytes: &[u8]) -> Document {
    let (source, findings) = match decode::decode(path, bytes) {
        Ok(decoded) => decoded,
        Err(finding) => {
            let (source, lines) = (String::new(), Lines::default());
            return Document { path: path.to_owned(), source, lines, root: None, findings: vec![*finding] };
        }
    };
    let lines = Lines::of(&source);
    let mut document = Document { path: path.to_owned(), source, lines, root: None, findings };
    if !crate::diagnostic::has_errors(&document.findings) {
        let (root, mut found) = build::build(&document);
        document.root = root;
        document.findings.append(&mut found);
    }
    document
}
