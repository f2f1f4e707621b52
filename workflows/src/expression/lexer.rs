//! An expression cut into tokens, each with its bytes.
//!
//! It accepts exactly the signs of the language, so that foreign ones (`&&`, `!`, a single `=`) get their own remedy. It knows
//! nothing of order or meaning.

use std::ops::Range;

use super::mistake::Mistake;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a word such as `and`.
    Name,
    /// Digits without a point or an exponent.
    Integer,
    /// Any other number.
    Float,
    /// Text in quotes.
    Text,
    /// An operator or a bracket.
    Sign,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
}

/// Longest first, because `**` begins like `*`.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "**", "//", "<", ">", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":", "(", ")", "[", "]",
    "{", "}",
];

/// The tokens of `source`.
///
/// # Errors
/// At the first character that no expression holds.
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, Mistake> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = first(rest).map_err(|mistake| mistake.moved(at))?;
        found.push(Token { kind, text: &rest[..length], span: at..at + length });
        at += length;
    }
    Ok(found)
}

fn first(rest: &str) -> Result<(Kind, usize), Mistake> {
    if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok((Kind::Name, length_while(rest, |c| c.is_ascii_alphanumeric() || c == '_')));
    }
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(number(rest));
    }
    if rest.starts_with(['"', '\'']) {
        return quoted(rest).map(|length| (Kind::Text, length)).ok_or_else(|| Mistake::unclosed_text(0..rest.len()));
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    sign.map(|sign| (Kind::Sign, sign.len())).ok_or_else(|| foreign(rest))
}

fn length_while(rest: &str, accepted: impl Fn(char) -> bool) -> usize {
    rest.find(|c: char| !accepted(c)).unwrap_or(rest.len())
}

fn number(rest: &str) -> (Kind, usize) {
    let digits = |from: usize| length_while(&rest[from..], |c| c.is_ascii_digit());
    let mut length = digits(0);
    let mut kind = Kind::Integer;
    if rest[length..].starts_with('.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
        kind = Kind::Float;
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
            kind = Kind::Float;
        }
    }
    (kind, length)
}

/// Bytes of the quoted text at the start of `rest`, quotes included.
pub(super) fn quoted(rest: &str) -> Option<usize> {
    let quote = rest.chars().next()?;
    let mut escaped = false;
    for (offset, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(offset + character.len_utf8()),
            _ => {}
        }
    }
    None
}

fn foreign(rest: &str) -> Mistake {
    for (sign, remedy) in [("&&", "and"), ("||", "or"), ("!", "not"), ("=", "=="), ("?", "a if b else c")] {
        if rest.starts_with(sign) {
            return Mistake::foreign_sign(sign, remedy);
        }
    }
    let character = rest.chars().next().unwrap_or(' ');
    Mistake::unknown_character(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str) -> Vec<&str> {
        tokens(source).expect("tokens").iter().map(|token| token.text).collect()
    }

    #[test]
    fn signs_are_cut_longest_first() {
        assert_eq!(cut("a.b|int>=1.5e3**2"), ["a", ".", "b", "|", "int", ">=", "1.5e3", "**", "2"]);
    }

    #[test]
    fn quotes_hide_everything_but_their_own_end() {
        assert_eq!(cut(r#"'a\'}}' ~ "検体""#), [r"'a\'}}'", "~", "\"検体\""]);
    }

    #[test]
    fn a_foreign_sign_is_told_with_its_place() {
        assert_eq!(tokens("a && b").expect_err("refused").span, 2..4);
        assert!(tokens("検体").is_err());
        assert!(tokens("'open").is_err());
    }
}
