//! Barcodes: kept byte for byte, matched by a normalized key. Full-width digits, case, and separators are how the same tube gets two
//! spellings; leading zeros are how two tubes get one, so they stay.

/// The key that a barcode is matched by: full-width forms become ASCII, letters become capitals, spaces and hyphens go, and leading
/// zeros stay.
///
/// ```
/// use kentai_engine::specimen::barcode::normalized;
/// assert_eq!(normalized("ＡＢ－００１２ "), "AB0012");
/// assert_ne!(normalized("0012"), normalized("12"));
/// ```
#[must_use]
pub fn normalized(text: &str) -> String {
    text.chars()
        .map(half_width)
        .filter(|letter| !letter.is_whitespace() && !is_hyphen(*letter) && !letter.is_control())
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

/// U+FF01 to U+FF5E are ASCII in full width; U+3000 is its space.
fn half_width(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// What scanners and keyboards write for a hyphen, the long vowel mark of Japanese keyboards included.
fn is_hyphen(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff70}')
}

/// The normalized barcode without the leading zeros of its numbers: `AB0012` and `AB12` are near misses of each other. Shown to people,
/// never matched.
#[must_use]
pub fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut in_number = false;
    let normalized = normalized(text);
    let mut letters = normalized.chars().peekable();
    while let Some(letter) = letters.next() {
        let more = letters.peek().is_some_and(char::is_ascii_digit);
        // A zero that a digit follows, and no other digit went before.
        if letter == '0' && !in_number && more {
            continue;
        }
        in_number = letter.is_ascii_digit();
        bare.push(letter);
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_tube_in_other_letters_is_the_same_tube() {
        for other in ["ab-0012", "ＡＢ－００１２", " AB 0012", "ab‐0012", "ABー0012"] {
            assert_eq!(normalized(other), "AB0012", "{other}");
        }
    }

    #[test]
    fn leading_zeros_make_another_tube_and_a_near_miss() {
        assert_ne!(normalized("0012"), normalized("12"));
        // Only ASCII letters have two cases here: others would melt into one another.
        assert_ne!(normalized("ß1"), normalized("SS1"));
        for (text, wanted) in [
            ("0012", "12"),
            ("１２", "12"),
            ("AB-0012", "AB12"),
            ("A100", "A100"),
            ("A1-002", "A1002"),
            ("000", "0"),
            ("", ""),
        ] {
            assert_eq!(bare(text), wanted, "{text}");
        }
    }
}
