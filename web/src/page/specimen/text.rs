//! Running text with links and codes in it, escaped piece by piece: what the sentences of a story are put together from.

use askama::filters::Safe;

use super::super::markup::{self, Markup};
use super::super::say::Say;

/// Text that becomes markup.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self::default().text(text)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0 += &markup::text(text);
        self
    }

    pub(super) fn bold(mut self, text: &str) -> Self {
        self.0 += &format!("<b>{}</b>", markup::text(text));
        self
    }

    /// `href` is ours: its parts were encoded by [`path`].
    pub(super) fn link(mut self, href: &str, text: &str) -> Self {
        self.0 += &format!(r#"<a class="id" href="{}">{}</a>"#, markup::text(href), markup::text(text));
        self
    }

    pub(super) fn code(mut self, text: &str) -> Self {
        self.0 += &format!("<code>{}</code>", markup::text(text));
        self
    }

    pub(super) fn digest(mut self, say: &Say, hex: &str) -> Self {
        self.0 += &digest(say, hex).0;
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn done(self) -> Markup {
        Safe(self.0)
    }
}

/// A digest: its ends on the screen, all of it when it is copied, printed or heard.
pub(crate) fn digest(say: &Say, hex: &str) -> Markup {
    let whole = markup::text(hex);
    let short = markup::text(say.digest(hex));
    if short == whole {
        return Safe(format!(r#"<code class="digest">{whole}</code>"#));
    }
    Safe(format!(
        r#"<code class="digest"><span class="short" aria-hidden="true">{short}</span><span class="whole">{whole}</span></code>"#
    ))
}

/// An address of ours: each part encoded, so that a name never becomes another address.
pub(crate) fn path(parts: &[&str]) -> String {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        for byte in part.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
                other => path += &format!("%{other:02X}"),
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use kentai_workflows::diagnostic::Language;

    use super::*;

    #[test]
    fn nothing_in_a_piece_becomes_markup() {
        let hostile = r#""><script>alert(1)</script>"#;
        let text = Text::new(hostile).bold(hostile).link(&path(&["runs", hostile]), hostile).code(hostile).done().0;
        assert!(!text.contains("<script") && !text.contains("\"><"), "{text}");
    }

    #[test]
    fn a_name_stays_one_part_of_an_address() {
        assert_eq!(path(&["specimens", "a/../b?c#d é"]), "/specimens/a%2F..%2Fb%3Fc%23d%20%C3%A9");
    }

    #[test]
    fn a_digest_shows_its_ends_and_holds_all_of_it() {
        let say = Say::new(Language::En, TimeZone::UTC, 0);
        let hex = "41d7000000000000000000000000000000000000000000000000000000090bc0";
        let shown = digest(&say, hex).0;
        assert!(shown.contains("41d7…0bc0") && shown.contains(hex), "{shown}");
    }
}
