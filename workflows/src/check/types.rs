//! Types of values, as far as a file tells them.

use std::sync::Arc;

use crate::workflow::ParamKind;

/// What a value is known to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Not known before the run.
    Any,
    Text,
    /// Text out of a list.
    Choice(Arc<[String]>),
    Number,
    Integer,
    Boolean,
    /// `none`.
    None,
    File,
    /// A file that declares `format: json`.
    Json,
    /// A reference bundle, whose roles are files.
    Reference,
    List(Box<Type>),
    Record(Arc<[(String, Type)]>),
}

impl Type {
    /// The type of a parameter's value.
    pub(super) fn of_param(kind: &ParamKind) -> Self {
        match kind {
            ParamKind::String => Self::Text,
            ParamKind::Number | ParamKind::Duration | ParamKind::Size => Self::Number,
            ParamKind::Integer => Self::Integer,
            ParamKind::Boolean => Self::Boolean,
            ParamKind::Choice(of) => Self::Choice(of.clone().into()),
            ParamKind::File => Self::File,
            ParamKind::Reference => Self::Reference,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Number | Self::Integer | Self::Any)
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_) | Self::Any)
    }

    pub(super) fn is_boolean(&self) -> bool {
        matches!(self, Self::Boolean | Self::Any)
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File | Self::Json | Self::Any)
    }

    /// A file, a list of files, or absent.
    pub(super) fn is_files(&self) -> bool {
        match self {
            Self::List(item) => item.is_file(),
            other => other.is_file() || *other == Self::None,
        }
    }

    /// Has one obvious text.
    pub(super) fn is_scalar(&self) -> bool {
        self.is_text() || self.is_number() || self.is_boolean() || *self == Self::None
    }

    /// Could a value of this type equal one of the other?
    pub(super) fn meets(&self, other: &Self) -> bool {
        let alike = |test: fn(&Self) -> bool| test(self) && test(other);
        *self == Self::None
            || *other == Self::None
            || alike(Self::is_text)
            || alike(Self::is_number)
            || alike(Self::is_boolean)
            || alike(Self::is_file)
            || match (self, other) {
                (Self::Any, _) | (_, Self::Any) => true,
                (Self::List(one), Self::List(two)) => one.meets(two),
                (Self::Record(_), Self::Record(_)) => true,
                (one, two) => one == two,
            }
    }

    /// What both are.
    pub(super) fn joined(self, other: Self) -> Self {
        match (self, other) {
            (one, two) if one == two => one,
            (Self::None, known) | (known, Self::None) => known,
            (one, two) if one.is_number() && two.is_number() => Self::Number,
            (one, two) if one.is_text() && two.is_text() => Self::Text,
            (one, two) if one.is_file() && two.is_file() => Self::File,
            _ => Self::Any,
        }
    }

    /// English and Japanese.
    pub(super) fn words(&self) -> (String, String) {
        let (en, ja) = match self {
            Self::Any => ("a value", "値"),
            Self::Text => ("text", "文字列"),
            Self::Choice(_) => ("a choice", "選択肢"),
            Self::Number => ("a number", "数値"),
            Self::Integer => ("a whole number", "整数"),
            Self::Boolean => ("true or false", "真偽値"),
            Self::None => ("none", "none"),
            Self::File | Self::Json => ("a file", "ファイル"),
            Self::Reference => ("a reference bundle", "リファレンス一式"),
            Self::Record(_) => ("an item with fields", "フィールドを持つ項目"),
            Self::List(item) => {
                let (en, ja) = item.words();
                return (format!("a list (each: {en})"), format!("リスト (各項目: {ja})"));
            }
        };
        (en.to_owned(), ja.to_owned())
    }
}
