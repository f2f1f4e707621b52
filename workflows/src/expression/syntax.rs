//! The form of an expression: a small tree with places, from which names, types and limits are read.
//!
//! Evaluation is the template crate's; this tree exists because that crate gives names without places and aborts on deep
//! nesting. Precedence follows Jinja.

use std::ops::Range;

/// A part of an expression and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) node: Node,
    pub(crate) span: Range<usize>,
}

/// A name and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Text in quotes, escapes not resolved.
    Text(String),
    Integer,
    Float,
    Boolean(bool),
    None,
    List(Vec<Tree>),
    /// `steps.align.all.bam`
    Path(Vec<Name>),
    /// `….name` of something that is not a path.
    Attribute(Box<Tree>, Name),
    Index(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Negate(Box<Tree>),
    Binary(Operator, Box<Tree>, Box<Tree>),
    /// `then if test else otherwise`
    Conditional {
        then: Box<Tree>,
        test: Box<Tree>,
        otherwise: Box<Tree>,
    },
    Filter {
        name: String,
        of: Box<Tree>,
        arguments: Vec<Tree>,
    },
}

/// Operators of two operands, by what they give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `and`, `or`
    Logic,
    /// `==`, `!=`
    Equality,
    /// `<`, `<=`, `>`, `>=`
    Order,
    /// `in`, `not in`
    Membership,
    /// `+`
    Plus,
    /// `- * / // % **`
    Arithmetic,
    /// `~`
    Concatenation,
}

impl Tree {
    /// The parts directly beneath it, in order.
    pub(crate) fn children(&self) -> Vec<&Tree> {
        match &self.node {
            Node::Text(_) | Node::Integer | Node::Float | Node::Boolean(_) | Node::None | Node::Path(_) => Vec::new(),
            Node::List(items) => items.iter().collect(),
            Node::Attribute(of, _) | Node::Not(of) | Node::Negate(of) => vec![of],
            Node::Index(left, right) | Node::Binary(_, left, right) => vec![left, right],
            Node::Conditional { then, test, otherwise } => vec![then, test, otherwise],
            Node::Filter { of, arguments, .. } => std::iter::once(&**of).chain(arguments).collect(),
        }
    }

    /// Every dotted path in it, in order.
    pub(crate) fn paths(&self) -> Vec<&[Name]> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a [Name]>) {
        if let Node::Path(names) = &self.node {
            found.push(names);
        }
        for child in self.children() {
            child.collect(found);
        }
    }
}
