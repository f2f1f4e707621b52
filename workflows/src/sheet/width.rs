//! Full-width characters (`Ｓ００１`), which Japanese keyboards write and which look right in a spreadsheet.

/// Distance between a full-width character and its ASCII twin.
const DISTANCE: u32 = 0xFEE0;

/// `text` with full-width characters as ASCII, when there were any.
pub(super) fn narrow(text: &str) -> Option<String> {
    text.chars().any(is_wide).then(|| text.chars().map(narrowed).collect())
}

fn is_wide(character: char) -> bool {
    matches!(character, '\u{FF01}'..='\u{FF5E}' | '\u{3000}')
}

fn narrowed(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        wide if is_wide(wide) => char::from_u32(u32::from(wide) - DISTANCE).unwrap_or(wide),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_becomes_ascii_and_the_rest_is_left_alone() {
        assert_eq!(narrow("Ｓ００１－ａ"), Some("S001-a".into()));
        assert_eq!(narrow("検体１"), Some("検体1".into()));
        assert_eq!(narrow("S001"), None);
    }
}
