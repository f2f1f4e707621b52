//! What a drawn step says: its title, and one line of words for its kind and how often it runs.

use crate::diagnostic::{Language, spoken};
use crate::workflow::{Action, Step, StepKind};

/// Title of `step`.
pub(super) fn title(step: &Step, language: Language) -> &str {
    spoken(&step.title, language)
}

/// `script, per lane, conditional`
pub(super) fn words(step: &Step, language: Language) -> String {
    let mut words = vec![kind(&step.kind, language).to_owned()];
    if !step.for_each.is_empty() {
        let names: Vec<&str> = step.for_each.iter().map(|(name, _)| name.as_str()).collect();
        words.push(match language {
            Language::En => format!("per {}", names.join(" and ")),
            Language::Ja => format!("{} ごと", names.join("・")),
        });
    }
    if step.when.is_some() {
        words.push(either(language, "conditional", "条件付き").to_owned());
    }
    words.join(either(language, ", ", "、"))
}

fn kind(kind: &StepKind, language: Language) -> &'static str {
    let (en, ja) = match kind {
        StepKind::Receive(_) => ("receive", "受領"),
        StepKind::Tool(tool) => match tool.action {
            Action::Script { .. } => ("script", "スクリプト"),
            Action::Command(_) => ("command", "コマンド"),
        },
        StepKind::Gate(_) => ("gate", "判定"),
        StepKind::Approve(_) => ("approve", "承認"),
        StepKind::Handoff(_) => ("handoff", "引き渡し"),
        StepKind::Call(_) => ("call", "呼び出し"),
    };
    either(language, en, ja)
}

/// The text for `language`.
pub(super) fn either<'a>(language: Language, en: &'a str, ja: &'a str) -> &'a str {
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}
