//! Text inside an SVG: escaped, and cut to the room there is.

/// `text` as XML character data or attribute value; characters that XML 1.0 does not know become spaces.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push(' '),
            control if control.is_control() => escaped.push(' '),
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// `text`, shortened with an ellipsis where it would be wider than `width` pixels at `size` pixels per em.
pub(super) fn fitted(text: &str, width: usize, size: usize) -> String {
    let room = width * 100 / size;
    if text.chars().map(advance).sum::<usize>() <= room {
        return text.to_owned();
    }
    let mut used = advance('…');
    let fitting = text.chars().take_while(|character| {
        used += advance(*character);
        used <= room
    });
    fitting.collect::<String>().trim_end().to_owned() + "…"
}

/// Width of a character in hundredths of an em: an estimate, a little wide, because the reader's font is not known.
fn advance(character: char) -> usize {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ' ' | '\'' => 32,
        'm' | 'w' | 'M' | 'W' | '…' => 92,
        '\0'..='\u{2FFF}' => 60,
        _ => 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_title_becomes_markup() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'</script>\u{0}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt; "
        );
    }

    #[test]
    fn long_titles_end_in_an_ellipsis_and_short_ones_do_not() {
        assert_eq!(fitted("Align", 100, 13), "Align");
        assert_eq!(fitted("生殖細胞系列全ゲノム解析", 100, 13), "生殖細胞系列…");
    }
}
