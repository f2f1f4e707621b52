//! Markup that is written here and not in a template (shapes, charts): the one place where text becomes markup without a template.

use std::fmt::Display;

use askama::filters::{Html, Safe, escape};

/// Markup of ours; templates put it down as it is.
pub(crate) type Markup = Safe<String>;

/// Text from anywhere, as markup.
pub(crate) fn text(text: impl Display) -> String {
    match escape(text, Html) {
        Ok(escaped) => escaped.to_string(),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_begins_a_tag_or_ends_an_attribute_is_left() {
        assert_eq!(text(r#"<b a="1" c='2'>&"#), "&#60;b a=&#34;1&#34; c=&#39;2&#39;&#62;&#38;");
    }
}
