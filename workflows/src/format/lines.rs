//! The lines of a file and the part that each plays in its structure.

use std::ops::Range;

use crate::document::{Content, Document, Node};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Blank,
    Comment,
    /// Begins a key or an item in block style.
    Entry,
    /// Goes on with a quoted text or a flow collection that began earlier.
    Inner,
    /// Belongs to a block text.
    Block,
}

/// A line without its indentation and its end.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) role: Role,
    /// Spaces before the text.
    pub(super) indent: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    pub(super) fn blank() -> Self {
        Self { role: Role::Blank, indent: 0, text: "" }
    }
}

/// The lines of `document`.
pub(super) fn lines<'a>(document: &'a Document, root: &Node) -> Vec<Line<'a>> {
    let source = document.source.trim_start_matches('\u{feff}');
    let texts: Vec<&str> = source.lines().collect();
    let mut inner = vec![None; texts.len()];
    mark(document, root, &mut inner);
    texts.iter().zip(inner).map(|(text, inner)| line(text, inner)).collect()
}

fn line(text: &str, inner: Option<Role>) -> Line<'_> {
    let body = text.trim_start_matches(' ');
    let indent = text.len() - body.len();
    if let Some(role) = inner {
        // Trailing blanks within a text are part of it.
        return Line { role, indent, text: body };
    }
    let body = body.trim_end();
    let role = match body.chars().next() {
        None => return Line::blank(),
        Some('#') => Role::Comment,
        Some(_) => Role::Entry,
    };
    Line { role, indent, text: body }
}

/// Marks the lines on which a value goes on that began on an earlier one.
fn mark(document: &Document, node: &Node, inner: &mut [Option<Role>]) {
    match &node.content {
        Content::Null => {}
        Content::Text(_) => mark_text(document, node, inner),
        Content::List(_) | Content::Map(_) if is_flow(document, node) => mark_range(document, node.span.clone(), inner),
        Content::List(items) => items.iter().for_each(|item| mark(document, item, inner)),
        Content::Map(entries) => entries.iter().for_each(|entry| mark(document, &entry.value, inner)),
    }
}

fn is_flow(document: &Document, node: &Node) -> bool {
    document.source.get(node.span.start..).is_some_and(|rest| rest.starts_with(['{', '[']))
}

fn mark_range(document: &Document, span: Range<usize>, inner: &mut [Option<Role>]) {
    let (first, last) = (document.line(span.start), document.line(span.end.saturating_sub(1).max(span.start)));
    // Lines are 1-based: the one after the first has the index `first`.
    for at in first..last.min(inner.len()) {
        inner[at] = Some(Role::Inner);
    }
}

/// A block text begins on a line of its own, which then is inner too, and so are blank lines that belong to it.
fn mark_text(document: &Document, node: &Node, inner: &mut [Option<Role>]) {
    let start = document.lines.start(document.line(node.span.start));
    let before = document.source.get(start..node.span.start).unwrap_or("");
    let introduced = document.source.get(..start).map_or("", |text| text.trim_end().rsplit('\n').next().unwrap_or(""));
    let mentions_block = introduced
        .split('#')
        .next()
        .unwrap_or("")
        .trim_end()
        .rsplit([' ', ':'])
        .next()
        .unwrap_or("")
        .starts_with(['|', '>']);
    if before.trim().is_empty() && mentions_block {
        let first = document.line(node.span.start) - 1;
        let written = document.source.get(node.span.clone()).unwrap_or("");
        let used = node.span.start + written.trim_end().len();
        let last = document.line(used.max(node.span.start));
        for at in first..last.min(inner.len()) {
            inner[at] = Some(Role::Block);
        }
        return;
    }
    mark_range(document, node.span.clone(), inner);
}
