//! The canonical layout of a file, for `kentai workflow fmt`: careful, and never a change of meaning.
//!
//! It works on lines, so comments stay where they are; what it makes is read again and compared, and given up when it differs.

use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{self, Content, Document, Node};

mod lines;
#[cfg(test)]
mod tests;

use lines::{Line, Role, lines};

/// Spaces per level.
const INDENT: usize = 2;

/// `source` in the canonical layout: two spaces per level, no trailing blanks, one blank line between steps, one line end at the end.
///
/// Key order, flow style and comments are left alone. What cannot be laid out without changing the meaning comes back as it was.
///
/// # Errors
/// When `source` is not YAML that a workflow can be made of.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let document = document::parse("", source.as_bytes());
    let Some(root) = document.root.as_ref().filter(|_| !has_errors(&document.findings)) else {
        return Err(document.findings);
    };
    let marked = lines(&document, root);
    let attempts = [reindented(&marked), marked];
    let laid_out = attempts.iter().map(|lines| joined(&spaced(lines, &step_lines(&document, root))));
    let kept = laid_out.into_iter().find(|text| means_the_same(root, text));
    Ok(kept.unwrap_or_else(|| source.to_owned()))
}

fn means_the_same(root: &Node, text: &str) -> bool {
    let again = document::parse("", text.as_bytes());
    again.root.is_some_and(|again| same(root, &again)) && !has_errors(&again.findings)
}

fn same(one: &Node, two: &Node) -> bool {
    match (&one.content, &two.content) {
        (Content::Null, Content::Null) => true,
        (Content::Text(one), Content::Text(two)) => one == two,
        (Content::List(one), Content::List(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Content::Map(one), Content::Map(two)) => {
            one.len() == two.len()
                && one.iter().zip(two).all(|(one, two)| one.key == two.key && same(&one.value, &two.value))
        }
        _ => false,
    }
}

/// 0-based lines on which a step begins, but for the first.
fn step_lines(document: &Document, root: &Node) -> Vec<usize> {
    let steps = root.get("steps").map(Node::entries).unwrap_or_default();
    steps.iter().skip(1).map(|entry| document.line(entry.key_span.start) - 1).collect()
}

/// Lines with every level two spaces deep.
fn reindented<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let mut columns = Columns::default();
    let mut shift: isize = 0;
    let mut block: Option<isize> = None;
    let mut result = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut line = line.clone();
        match line.role {
            Role::Blank => {}
            Role::Inner => line.indent = line.indent.saturating_add_signed(shift),
            Role::Block if line.text.is_empty() => {}
            Role::Block => {
                // The first line decides; the others keep their place beneath it.
                let wanted = (columns.innermost() + INDENT).cast_signed();
                let shift = *block.get_or_insert(wanted - line.indent.cast_signed());
                line.indent = line.indent.saturating_add_signed(shift);
            }
            Role::Comment => {
                let next = lines[at + 1..].iter().find(|next| next.role == Role::Entry);
                line.indent = columns.comment(line.indent, next.map(|next| next.indent));
            }
            Role::Entry => {
                block = None;
                let column = columns.entry(line.indent, line.text);
                shift = column.cast_signed() - line.indent.cast_signed();
                line.indent = column;
            }
        }
        result.push(line);
    }
    result
}

/// Open levels: the column that they had and the one that they get.
#[derive(Default)]
struct Columns {
    open: Vec<(usize, usize)>,
}

impl Columns {
    fn entry(&mut self, old: usize, text: &str) -> usize {
        while self.open.last().is_some_and(|(column, _)| *column > old) {
            self.open.pop();
        }
        let new = match self.open.last() {
            Some((column, new)) if *column == old => *new,
            Some((_, new)) => new + INDENT,
            None => 0,
        };
        if self.open.last().is_none_or(|(column, _)| *column < old) {
            self.open.push((old, new));
        }
        // What follows a dash on its line is a level of its own: `- a: 1` goes on beneath the `a`.
        let mut inner = 0;
        let mut rest = text;
        while let Some(after) = rest.strip_prefix('-').filter(|after| after.starts_with(' ')) {
            let content = after.trim_start();
            inner += rest.len() - content.len();
            rest = content;
            if !rest.is_empty() {
                self.open.push((old + inner, new + inner));
            }
        }
        new
    }

    fn innermost(&self) -> usize {
        self.open.last().map_or(0, |(_, new)| *new)
    }

    /// A comment goes with the level that it stood at, or with what it stands above.
    fn comment(&self, old: usize, next: Option<usize>) -> usize {
        let at = |wanted: usize| self.open.iter().find(|(column, _)| *column == wanted).map(|(_, new)| *new);
        let above_deeper =
            next.filter(|next| *next == old && self.open.last().is_some_and(|(column, _)| column < next));
        match (at(old), above_deeper) {
            (Some(new), _) => new,
            (None, Some(_)) => self.open.last().map_or(old, |(_, new)| new + INDENT),
            (None, None) => old,
        }
    }
}

/// Lines with one blank line before each step (and its comments), and never two in a row.
fn spaced<'a>(lines: &[Line<'a>], steps: &[usize]) -> Vec<Line<'a>> {
    let mut result: Vec<Line<'a>> = Vec::with_capacity(lines.len() + steps.len());
    for (at, line) in lines.iter().enumerate() {
        let blank_before = result.last().is_none_or(|last| last.role == Role::Blank);
        if line.role == Role::Blank && blank_before {
            continue;
        }
        if steps.binary_search(&at).is_ok() {
            let comments = result.iter().rev().take_while(|line| line.role == Role::Comment).count();
            let before = result.len() - comments;
            if before > 0 && result[before - 1].role != Role::Blank {
                result.insert(before, Line::blank());
            }
        }
        result.push(line.clone());
    }
    while result.last().is_some_and(|line| line.role == Role::Blank) {
        result.pop();
    }
    result
}

fn joined(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        if !line.text.is_empty() {
            text.extend(std::iter::repeat_n(' ', line.indent));
            text.push_str(line.text);
        }
        text.push('\n');
    }
    text
}
