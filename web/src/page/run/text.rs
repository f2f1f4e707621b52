//! What tools wrote, as a page shows it: without what a terminal would obey. It knows no attempt.

/// Text of any bytes: no control characters but line ends and tabs, no terminal sequences.
pub(super) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                // Parameters end with a letter.
                while characters.next_if(|next| !next.is_ascii_alphabetic() && *next != '\n').is_some() {}
                characters.next_if(char::is_ascii_alphabetic);
            }
            // A progress bar draws itself over: each state of it on a line of its own.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(character),
            // What turns text around would show it in another order than it was written.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// The last lines that are not empty, at most so many.
pub(super) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(plain(b"\x1b[31mred\x1b[0m\x07 5%\r10%\r\ndone\n"), "red 5%\n10%\ndone\n");
        assert_eq!(plain("a\u{202e}b".as_bytes()), "ab");
        assert_eq!(plain(&[0xff, b'x']), "\u{fffd}x");
        assert_eq!(plain(b"\x1b["), "");
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        assert_eq!(last_lines("a\nb\nc\n\n", 2), "b\nc");
        assert_eq!(last_lines("", 3), "");
    }
}
