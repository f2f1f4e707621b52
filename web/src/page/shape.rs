//! The seven states: word, shape and colour, always together. It knows no domain: each page says which of its words is which state.

use std::fmt;

use askama::filters::{HtmlSafe, Safe};
use kentai_workflows::diagnostic::Language;

use super::markup::{self, Markup};

/// What a person must know at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Waiting,
    Running,
    Needs,
    Passed,
    Warned,
    Failed,
    Canceled,
}

/// A shape with its word, as markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) shape: Shape,
    /// The word of the state, or what the page calls it.
    pub(crate) word: String,
}

impl Shape {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] =
        [Self::Waiting, Self::Running, Self::Needs, Self::Passed, Self::Warned, Self::Failed, Self::Canceled];

    /// The class and the id of the drawing.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Needs => "needs",
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    pub(crate) fn word(self, language: Language) -> &'static str {
        let (en, ja) = match self {
            Self::Waiting => ("Waiting", "待機中"),
            Self::Running => ("Running", "実行中"),
            Self::Needs => ("Needs a person", "要対応"),
            Self::Passed => ("Passed", "合格"),
            Self::Warned => ("Passed with warnings", "警告付き合格"),
            Self::Failed => ("Failed", "失敗"),
            Self::Canceled => ("Canceled", "取消"),
        };
        match language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// The shape alone; its word stands beside it.
    pub(crate) fn svg(self) -> Markup {
        Safe(format!(r##"<svg class="shape {0}" aria-hidden="true"><use href="#s-{0}"/></svg>"##, self.name()))
    }

    /// The shape inside another drawing, `size` wide, its middle at (`x`, `y`).
    pub(crate) fn drawn(self, x: f64, y: f64, size: f64) -> String {
        let (left, top) = (x - size / 2.0, y - size / 2.0);
        format!(
            r##"<svg class="shape {0}" x="{left:.1}" y="{top:.1}" width="{size}" height="{size}"><use href="#s-{0}"/></svg>"##,
            self.name()
        )
    }

    pub(crate) fn state(self, language: Language) -> State {
        State { shape: self, word: self.word(language).to_owned() }
    }

    pub(crate) fn called(self, word: impl Into<String>) -> State {
        State { shape: self, word: word.into() }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<span class="state">{}{}</span>"#, self.shape.svg().0, markup::text(&self.word))
    }
}

// The word was escaped, the rest is ours.
impl HtmlSafe for State {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shape_stands_without_a_word() {
        for shape in Shape::ALL {
            for language in [Language::En, Language::Ja] {
                let state = shape.state(language).to_string();
                assert!(state.contains(shape.word(language)) && state.contains("<use href"), "{state}");
            }
        }
    }

    #[test]
    fn a_word_from_data_is_escaped() {
        let state = Shape::Failed.called("<script>").to_string();
        assert!(state.contains("&#60;script&#62;") && !state.contains("<script>"), "{state}");
    }

    #[test]
    fn every_shape_is_drawn_in_the_shell() {
        let sprite = include_str!("../../templates/shapes.svg");
        for shape in Shape::ALL {
            assert!(sprite.contains(&format!(r#"id="s-{}""#, shape.name())), "{shape:?}");
        }
    }
}
