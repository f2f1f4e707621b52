//! Types of expressions, from their leaves up; what can never work is noted.

use std::ops::Range;

use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::did_you_mean;
use crate::expression::{Node, Operator, Tree};

impl Scope<'_, '_> {
    /// The type of `tree`; `guarded`: absent values are provided for.
    pub(super) fn infer(&mut self, tree: &Tree, guarded: bool) -> Type {
        match &tree.node {
            Node::Text(_) => Type::Text,
            Node::Integer => Type::Integer,
            Node::Float => Type::Number,
            Node::Boolean(_) => Type::Boolean,
            Node::None => Type::None,
            Node::List(items) => {
                let kinds: Vec<Type> = items.iter().map(|item| self.infer(item, guarded)).collect();
                Type::List(Box::new(kinds.into_iter().reduce(Type::joined).unwrap_or(Type::Any)))
            }
            Node::Path(path) => self.resolve(path, guarded),
            Node::Attribute(of, name) => {
                let kind = self.infer(of, guarded);
                self.attribute(kind, name)
            }
            Node::Index(of, at) => self.index(of, at, guarded),
            Node::Not(of) => self.must(of, Type::is_boolean, ("true or false", "真偽値"), Type::Boolean),
            Node::Negate(of) => self.must(of, Type::is_number, ("a number", "数値"), Type::Number),
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, tree.span.clone()),
            Node::Conditional { then, test, otherwise } => {
                self.must(test, Type::is_boolean, ("true or false", "真偽値"), Type::Boolean);
                let kind = self.infer(then, guarded);
                kind.joined(self.infer(otherwise, guarded))
            }
            Node::Filter { name, of, arguments } => self.filter(name, of, arguments, guarded),
        }
    }

    fn must(&mut self, tree: &Tree, fits: fn(&Type) -> bool, wanted: (&str, &str), gives: Type) -> Type {
        let kind = self.infer(tree, false);
        if !fits(&kind) {
            self.unfit(&kind, wanted, tree.span.clone());
        }
        gives
    }

    fn unfit(&mut self, kind: &Type, wanted: (&str, &str), span: Range<usize>) {
        let (en, ja) = kind.words();
        let found = Diagnostic::error(
            "K024",
            format!("expected {}, but this is {en}", wanted.0),
            format!("{}が必要ですが、これは{ja}です", wanted.1),
        );
        self.note(found, span);
    }

    fn index(&mut self, of: &Tree, at: &Tree, guarded: bool) -> Type {
        let kind = self.infer(of, guarded);
        self.must(at, |kind| kind.is_number() || kind.is_text(), ("a number", "数値"), Type::Any);
        match kind {
            Type::List(item) => *item,
            Type::Any | Type::Record(_) => Type::Any,
            other => {
                self.unfit(&other, ("a list", "リスト"), of.span.clone());
                Type::Any
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Tree, right: &Tree, span: Range<usize>) -> Type {
        if operator == Operator::Logic {
            self.must(left, Type::is_boolean, ("true or false", "真偽値"), Type::Boolean);
            return self.must(right, Type::is_boolean, ("true or false", "真偽値"), Type::Boolean);
        }
        let equality = operator == Operator::Equality;
        let (one, two) = (self.operand(left, equality), self.operand(right, equality));
        match operator {
            Operator::Equality => self.equality(left, right, &one, &two, span),
            Operator::Order => {
                let fits = (one.is_number() && two.is_number()) || (one.is_text() && two.is_text());
                self.operation(fits, &one, &two, span, Type::Boolean)
            }
            Operator::Membership => {
                let fits = matches!(two, Type::List(_) | Type::Any | Type::Text);
                self.operation(fits, &one, &two, span, Type::Boolean)
            }
            Operator::Plus if one.is_text() && two.is_text() && !one.is_number() => Type::Text,
            Operator::Plus | Operator::Arithmetic => {
                let fits = one.is_number() && two.is_number();
                self.operation(fits, &one, &two, span, Type::Number)
            }
            Operator::Concatenation => {
                let fits = one.is_scalar() && two.is_scalar();
                self.operation(fits, &one, &two, span, Type::Text)
            }
            Operator::Logic => Type::Boolean,
        }
    }

    /// Asking whether a parameter is there is no use of it: it is `none` then, and `none` equals nothing else.
    fn operand(&mut self, tree: &Tree, equality: bool) -> Type {
        let declared = |root: &str| matches!(root, "params" | "specimen");
        let asked =
            equality && matches!(&tree.node, Node::Path(path) if path.first().is_some_and(|root| declared(&root.text)));
        self.infer(tree, asked)
    }

    fn operation(&mut self, fits: bool, one: &Type, two: &Type, span: Range<usize>, gives: Type) -> Type {
        if !fits {
            let ((one_en, one_ja), (two_en, two_ja)) = (one.words(), two.words());
            let found = Diagnostic::error(
                "K024",
                format!("this operation does not work on {one_en} and {two_en}"),
                format!("{one_ja}と{two_ja}にはこの演算はできません"),
            )
            .help(
                "text is joined with ~; the name of a file is: x | basename",
                "文字列は ~ でつなぎます。ファイルの名前は x | basename です",
            );
            self.note(found, span);
        }
        gives
    }

    fn equality(&mut self, left: &Tree, right: &Tree, one: &Type, two: &Type, span: Range<usize>) -> Type {
        if !one.meets(two) {
            let ((one_en, one_ja), (two_en, two_ja)) = (one.words(), two.words());
            let found = Diagnostic::error(
                "K024",
                format!("{one_en} never equals {two_en}"),
                format!("{one_ja}と{two_ja}は決して等しくなりません"),
            );
            self.note(found, span);
        }
        for (kind, literal) in [(one, right), (two, left)] {
            if let (Type::Choice(of), Node::Text(text)) = (kind, &literal.node)
                && !of.contains(text)
            {
                let listed = of.join(", ");
                let found = Diagnostic::error(
                    "K016",
                    format!("`{text}` is not one of the choices"),
                    format!("`{text}` は選択肢にありません"),
                )
                .help(format!("one of: {listed}"), format!("選択肢: {listed}"));
                let found = did_you_mean(found, text, of.iter().map(String::as_str));
                self.note(found, literal.span.clone());
            }
        }
        Type::Boolean
    }

    fn filter(&mut self, name: &str, of: &Tree, arguments: &[Tree], guarded: bool) -> Type {
        let kind = self.infer(of, guarded || name == "default");
        let mut given = Vec::new();
        for argument in arguments {
            given.push(self.infer(argument, guarded));
        }
        let named = |kind: &Type| kind.is_file() || kind.is_text();
        let listed = |kind: &Type| matches!(kind, Type::List(_) | Type::Any);
        let counted = |kind: &Type| kind.is_number() || kind.is_text();
        let (fits, wanted, gives) = match name {
            "default" => (true, ("", ""), kind.clone().joined(given.pop().unwrap_or(Type::None))),
            "basename" | "stem" | "ext" => (named(&kind), ("a file or text", "ファイルか文字列"), Type::Text),
            "length" => (listed(&kind) || kind.is_text(), ("a list or text", "リストか文字列"), Type::Integer),
            "join" => (listed(&kind), ("a list", "リスト"), Type::Text),
            "first" | "last" => (listed(&kind), ("a list", "リスト"), item(&kind)),
            "round" | "float" => (counted(&kind), ("a number", "数値"), Type::Number),
            "int" => (counted(&kind), ("a number", "数値"), Type::Integer),
            _ => (true, ("", ""), Type::Text),
        };
        if !fits {
            self.unfit(&kind, wanted, of.span.clone());
        }
        gives
    }
}

fn item(kind: &Type) -> Type {
    if let Type::List(item) = kind { (**item).clone() } else { Type::Any }
}
