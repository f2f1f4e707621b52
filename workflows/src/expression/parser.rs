//! Tokens → tree, one function per level of precedence, loosest first.
//!
//! Nesting and length are limited here: whatever passes is safe to walk recursively and to hand to the evaluating crate.

use std::ops::Range;

use super::filters;
use super::lexer::{Kind, Token, tokens};
use super::mistake::Mistake;
use super::syntax::{Name, Node, Operator, Tree};

/// Brackets and prefix operators within one another.
const DEPTH_MAX: usize = 32;
/// Chains (`a + b + …`) nest the tree as deeply as they are long.
const TOKENS_MAX: usize = 300;

/// Words that are not names.
const WORDS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

/// The tree of `source`.
///
/// # Errors
/// The first thing that is wrong with its form.
pub(super) fn parse(source: &str) -> Result<Tree, Mistake> {
    let tokens = tokens(source)?;
    if tokens.len() > TOKENS_MAX {
        return Err(Mistake::too_complicated(0..source.len()));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0, end: source.len() };
    let tree = parser.conditional()?;
    match parser.peek() {
        None => Ok(tree),
        Some(_) => Err(parser.unexpected("the end or an operator", "式の終わりか演算子")),
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    end: usize,
}

type Parsed = Result<Tree, Mistake>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token<'_>> {
        self.tokens.get(self.at)
    }

    fn is(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.kind != Kind::Text && token.text == text)
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), Mistake> {
        if self.accept(text) { Ok(()) } else { Err(self.unexpected(&format!("`{text}`"), &format!("`{text}` "))) }
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |token| token.span.clone())
    }

    fn before(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    fn unexpected(&self, en: &str, ja: &str) -> Mistake {
        let found = self.peek().map_or("the end / 終わり".to_owned(), |token| format!("`{}`", token.text));
        Mistake::unexpected(&found, en, ja, self.here())
    }

    fn tree(&self, start: usize, node: Node) -> Tree {
        Tree { node, span: start..self.before() }
    }

    /// Runs `inner` one level deeper.
    fn nested(&mut self, inner: fn(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Mistake::too_complicated(self.here()));
        }
        let tree = inner(self);
        self.depth -= 1;
        tree
    }

    fn conditional(&mut self) -> Parsed {
        let start = self.here().start;
        let mut tree = self.or()?;
        while self.accept("if") {
            let test = self.or()?;
            if !self.accept("else") {
                let (en, ja) = ("`if` needs an `else`", "`if` には `else` が必要です");
                let remedy = "a if b else none";
                return Err(Mistake::not_supported(en, ja, remedy, remedy, tree.span));
            }
            let otherwise = Box::new(self.nested(Self::conditional)?);
            tree = self.tree(start, Node::Conditional { then: Box::new(tree), test: Box::new(test), otherwise });
        }
        Ok(tree)
    }

    /// A chain of equally strong operators, read from the left.
    fn chain(&mut self, operand: fn(&mut Self) -> Parsed, operators: &[(&str, Operator)]) -> Parsed {
        let start = self.here().start;
        let mut tree = operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(text, _)| self.is(text)) {
            self.at += 1;
            let right = operand(self)?;
            tree = self.tree(start, Node::Binary(*operator, Box::new(tree), Box::new(right)));
        }
        Ok(tree)
    }

    fn or(&mut self) -> Parsed {
        self.chain(Self::and, &[("or", Operator::Logic)])
    }

    fn and(&mut self) -> Parsed {
        self.chain(Self::not, &[("and", Operator::Logic)])
    }

    fn not(&mut self) -> Parsed {
        let start = self.here().start;
        if self.accept("not") {
            let of = self.nested(Self::not)?;
            return Ok(self.tree(start, Node::Not(Box::new(of))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        const OPERATORS: [(&str, Operator); 7] = [
            ("==", Operator::Equality),
            ("!=", Operator::Equality),
            ("<=", Operator::Order),
            (">=", Operator::Order),
            ("<", Operator::Order),
            (">", Operator::Order),
            ("in", Operator::Membership),
        ];
        let start = self.here().start;
        let tree = self.sum()?;
        let operator = match OPERATORS.iter().find(|(text, _)| self.is(text)) {
            Some((_, operator)) => *operator,
            None if self.accept("not") => Operator::Membership,
            None => return Ok(tree),
        };
        self.expect_operator(operator)?;
        let right = self.sum()?;
        if OPERATORS.iter().any(|(text, _)| self.is(text)) {
            let (en, ja) = ("comparisons do not chain", "比較はつなげて書けません");
            return Err(Mistake::not_supported(en, ja, "a < b and b < c", "a < b and b < c", self.here()));
        }
        Ok(self.tree(start, Node::Binary(operator, Box::new(tree), Box::new(right))))
    }

    /// Steps over the comparison; after `not` this must be `in`.
    fn expect_operator(&mut self, operator: Operator) -> Result<(), Mistake> {
        if operator == Operator::Membership {
            return self.expect("in");
        }
        self.at += 1;
        Ok(())
    }

    fn sum(&mut self) -> Parsed {
        self.chain(Self::concatenation, &[("+", Operator::Plus), ("-", Operator::Arithmetic)])
    }

    fn concatenation(&mut self) -> Parsed {
        self.chain(Self::product, &[("~", Operator::Concatenation)])
    }

    fn product(&mut self) -> Parsed {
        self.chain(Self::power, &["*", "/", "//", "%"].map(|sign| (sign, Operator::Arithmetic)))
    }

    fn power(&mut self) -> Parsed {
        self.chain(Self::filtered, &[("**", Operator::Arithmetic)])
    }

    fn filtered(&mut self) -> Parsed {
        let start = self.here().start;
        let mut tree = self.negated()?;
        loop {
            if self.accept("|") {
                tree = self.filter(start, tree)?;
            } else if self.is("is") {
                let (en, ja) = ("`is` is not an operator here", "`is` はここでは演算子ではありません");
                return Err(Mistake::not_supported(en, ja, "write: x == none", "こう書きます: x == none", self.here()));
            } else {
                return Ok(tree);
            }
        }
    }

    fn filter(&mut self, start: usize, of: Tree) -> Parsed {
        let name = self.name()?;
        let Some((fewest, most)) = filters::arguments(&name.text) else {
            return Err(Mistake::filter(&name.text, name.span));
        };
        let arguments = if self.accept("(") { self.items(")")? } else { Vec::new() };
        if arguments.len() < fewest || arguments.len() > most {
            let (en, ja) = (
                format!("`{}` takes {fewest} to {most} values", name.text),
                format!("`{}` の値は {fewest} から {most} 個です", name.text),
            );
            return Err(Mistake::not_supported(&en, &ja, "x | default(none)", "x | default(none)", name.span));
        }
        Ok(self.tree(start, Node::Filter { name: name.text, of: Box::new(of), arguments }))
    }

    fn negated(&mut self) -> Parsed {
        let start = self.here().start;
        if self.accept("-") {
            let of = self.nested(Self::negated)?;
            return Ok(self.tree(start, Node::Negate(Box::new(of))));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed {
        let start = self.here().start;
        let mut tree = self.primary()?;
        loop {
            if self.accept(".") {
                let name = self.name()?;
                tree = match tree.node {
                    Node::Path(mut names) => {
                        names.push(name);
                        self.tree(start, Node::Path(names))
                    }
                    _ => self.tree(start, Node::Attribute(Box::new(tree), name)),
                };
            } else if self.accept("[") {
                let at = self.nested(Self::conditional)?;
                self.expect("]")?;
                tree = self.tree(start, Node::Index(Box::new(tree), Box::new(at)));
            } else if self.is("(") {
                let name = match &tree.node {
                    Node::Path(names) => names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."),
                    _ => "…".to_owned(),
                };
                return Err(Mistake::function(&name, tree.span));
            } else {
                return Ok(tree);
            }
        }
    }

    fn name(&mut self) -> Result<Name, Mistake> {
        match self.peek() {
            Some(token) if token.kind == Kind::Name => {
                let name = Name { text: token.text.to_owned(), span: token.span.clone() };
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name", "名前")),
        }
    }

    /// What stands between commas up to `close`.
    fn items(&mut self, close: &str) -> Result<Vec<Tree>, Mistake> {
        let mut items = Vec::new();
        while !self.accept(close) {
            items.push(self.nested(Self::conditional)?);
            if !self.is(close) {
                self.expect(",")?;
            }
        }
        Ok(items)
    }

    fn primary(&mut self) -> Parsed {
        let start = self.here().start;
        let Some(token) = self.peek() else { return Err(self.unexpected("a value", "値")) };
        let text = token.text.to_owned();
        let span = token.span.clone();
        let node = match token.kind {
            Kind::Text => Node::Text(text[1..text.len() - 1].to_owned()),
            Kind::Integer => Node::Integer,
            Kind::Float => Node::Float,
            Kind::Name => match text.as_str() {
                "true" | "True" => Node::Boolean(true),
                "false" | "False" => Node::Boolean(false),
                "none" | "None" => Node::None,
                word if WORDS.contains(&word) => return Err(self.unexpected("a value", "値")),
                _ => Node::Path(vec![Name { text, span }]),
            },
            Kind::Sign => return self.bracketed(start),
        };
        self.at += 1;
        Ok(self.tree(start, node))
    }

    fn bracketed(&mut self, start: usize) -> Parsed {
        if self.accept("(") {
            let inner = self.nested(Self::conditional)?;
            self.expect(")")?;
            return Ok(Tree { node: inner.node, span: start..self.before() });
        }
        if self.accept("[") {
            let items = self.items("]")?;
            return Ok(self.tree(start, Node::List(items)));
        }
        Err(self.unexpected("a value", "値"))
    }
}
