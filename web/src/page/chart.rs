//! Charts: pure functions from numbers to SVG, one small module each. They know no page and no database.

pub(super) mod control;
pub(super) mod dag;
pub(super) mod gate;
pub(super) mod line;
pub(super) mod shares;
pub(super) mod strip;
pub(super) mod timeline;

/// Width of `text` in pixels at `size` pixels per em: an estimate, a little wide, because the reader's font is not known.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// `text`, shortened with an ellipsis where it would be wider than `room`.
pub(super) fn fitted(text: &str, room: f64, size: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut used = advance('…') * size;
    let fitting = text.chars().take_while(|character| {
        used += advance(*character) * size;
        used <= room
    });
    fitting.collect::<String>().trim_end().to_owned() + "…"
}

/// Width of a character in em.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ' ' | '\u{a0}' | '\'' => 0.3,
        'm' | 'w' | 'M' | 'W' | '…' => 0.88,
        '\0'..='\u{2FFF}' => 0.58,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_ends_in_an_ellipsis() {
        assert_eq!(fitted("align", 100.0, 13.0), "align");
        let cut = fitted("生殖細胞系列全ゲノム解析", 80.0, 13.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0) <= 80.0, "{cut}");
    }
}
