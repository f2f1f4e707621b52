//! Where an expression stands: in which step, under which loop names, and at which bytes of the file.

use std::collections::HashSet;
use std::ops::Range;

use super::checker::Checker;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::expression::{Expression, Mistake, Name, Template};
use crate::workflow::Use;

/// The names that an expression sees, and what it is found to use.
pub(super) struct Scope<'c, 'a> {
    pub(super) checker: &'c mut Checker<'a>,
    /// Index of the step.
    pub(super) step: Option<usize>,
    pub(super) loops: Vec<(String, Type)>,
    pub(super) uses: Vec<Use>,
    seen: HashSet<(String, bool)>,
    /// Paths that the step's `when` asks about: their absence is provided for.
    pub(super) asked: HashSet<String>,
    /// What the attempt may use is decided, so that `resources` has values.
    pub(super) has_resources: bool,
    /// The scalar being read, and the byte of its text at which the expression begins.
    place: Option<(Node, usize)>,
}

impl<'c, 'a> Scope<'c, 'a> {
    pub(super) fn new(checker: &'c mut Checker<'a>, step: Option<usize>) -> Self {
        let (uses, seen, asked) = (Vec::new(), HashSet::new(), HashSet::new());
        Self { checker, step, loops: Vec::new(), uses, seen, asked, has_resources: false, place: None }
    }

    pub(super) fn add_use(&mut self, used: Use) {
        if self.seen.insert((used.step.clone(), used.each)) {
            self.uses.push(used);
        }
    }

    pub(super) fn is_asked_about(&self, path: &[Name]) -> bool {
        self.asked.contains(&super::resolve::dotted(path))
    }

    /// Bytes of the file for bytes of the expression that is being read.
    fn located(&self, range: Range<usize>) -> Range<usize> {
        match &self.place {
            Some((node, offset)) => self.checker.document.locate(node, range.start + offset..range.end + offset),
            None => 0..0,
        }
    }

    /// Notes a finding at bytes of the expression that is being read.
    pub(super) fn note(&mut self, diagnostic: Diagnostic, range: Range<usize>) {
        if self.checker.is_full() {
            return;
        }
        let span = self.located(range);
        self.checker.note(diagnostic, span);
    }

    pub(super) fn note_unknown(&mut self, diagnostic: Diagnostic, written: &str, known: &[&str], range: Range<usize>) {
        if self.checker.is_full() {
            return;
        }
        let span = self.located(range);
        self.checker.note_unknown(diagnostic, written, known, span);
    }

    fn mistake(&mut self, node: &Node, mistake: Mistake) {
        let span = self.checker.document.locate(node, mistake.span);
        self.checker.note(*mistake.diagnostic, span);
    }

    /// A bare expression and its type; `guarded`: absent values are provided for.
    pub(super) fn expression(&mut self, node: &Node, guarded: bool) -> Option<(Expression, Type)> {
        let text = node.text()?;
        // `${{` in a bare place has been told about by the check of form.
        if text.contains("${{") {
            return None;
        }
        let blank = text.len() - text.trim_start().len();
        match Expression::read(text.trim()) {
            Ok(expression) => {
                let kind = self.typed(node, blank, &expression, guarded);
                Some((expression, kind))
            }
            Err(mut mistake) => {
                mistake.span = mistake.span.start + blank..mistake.span.end + blank;
                self.mistake(node, mistake);
                None
            }
        }
    }

    fn typed(&mut self, node: &Node, offset: usize, expression: &Expression, guarded: bool) -> Type {
        self.place = Some((node.clone(), offset));
        let kind = self.infer(expression.tree(), guarded);
        self.place = None;
        kind
    }

    /// A text place and the type of what it gives: that of its expression when it is exactly one, else text.
    pub(super) fn template(&mut self, node: &Node, guarded: bool) -> Option<(Template, Type)> {
        let text = node.text()?;
        let (template, offsets) = match Template::read(text) {
            Ok(read) => read,
            Err(mistake) => {
                self.mistake(node, mistake);
                return None;
            }
        };
        let expressions: Vec<Expression> = template.expressions().cloned().collect();
        let mut kinds = Vec::new();
        for (expression, offset) in expressions.iter().zip(&offsets) {
            kinds.push(self.typed(node, *offset, expression, guarded));
        }
        let kind = match (template.single(), kinds.as_slice()) {
            (Some(_), [kind]) => kind.clone(),
            _ => {
                self.scalars_only(node, &offsets, &kinds);
                Type::Text
            }
        };
        Some((template, kind))
    }

    /// Within other text only what has one obvious text may stand. A file has (its path or name, by the place).
    fn scalars_only(&mut self, node: &Node, offsets: &[usize], kinds: &[Type]) {
        for (offset, kind) in offsets.iter().zip(kinds) {
            if !kind.is_scalar() && !kind.is_file() {
                let (en, ja) = kind.words();
                let found = Diagnostic::error(
                    "K024",
                    format!("{en} cannot stand within text"),
                    format!("{ja}は文字列の中に書けません"),
                )
                .help("a list: x | join(' ')", "リストなら: x | join(' ')");
                let span = self.checker.document.locate(node, *offset..*offset + 1);
                self.checker.note(found, span);
            }
        }
    }

    /// Notes that `node` must be something else.
    pub(super) fn mismatch(&mut self, node: &Node, kind: &Type, wanted: (&str, &str), help: (&str, &str)) {
        let (en, ja) = kind.words();
        let found = Diagnostic::error(
            "K024",
            format!("expected {}, but this is {en}", wanted.0),
            format!("{}が必要ですが、これは{ja}です", wanted.1),
        );
        let found = if help.0.is_empty() { found } else { found.help(help.0, help.1) };
        self.checker.note(found, node.span.clone());
    }
}
