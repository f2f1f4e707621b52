//! The pages are complete, and their examples do what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::check::{Checked, check};
use crate::diagnostic::render;
use crate::site::Site;

fn used_codes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            used_codes(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !path.ends_with("tests.rs")
            && !path.ends_with("codes.rs")
        {
            let text = std::fs::read_to_string(&path).expect("text");
            // What stands below the test module is not told to anybody.
            let told = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
            found.extend(told.split('"').filter(|word| is_code(word)).map(str::to_owned));
        }
    }
}

fn is_code(word: &str) -> bool {
    word.len() == 4 && word.starts_with(['K', 'S', 'P']) && word[1..].chars().all(|c| c.is_ascii_digit())
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut used = BTreeSet::new();
    used_codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    let pages: BTreeSet<String> = codes().into_iter().map(str::to_owned).collect();
    assert_eq!(used, pages);
    assert_eq!(pages.len(), codes().len(), "a code has two pages");
}

#[test]
fn pages_speak_both_languages() {
    for code in codes() {
        let (en, ja) = (page(code, Language::En).expect("en"), page(code, Language::Ja).expect("ja"));
        assert_ne!(en, ja);
        assert!(!en.contains("を") && ja.contains("誤り"), "{code}");
    }
    assert!(page("k012", Language::En).is_some());
    assert!(page("K999", Language::En).is_none());
}

fn site() -> Site {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    Site {
        targets: names(&["archive"]),
        roles: names(&["reviewer", "releaser"]),
        memory_bytes: 64 << 30,
        timeout_s_max: 3 * 86_400,
        plain_targets: Some(["archive".to_owned()].into()),
        ..Site::default()
    }
}

fn checked(fragment: &str) -> Checked {
    let mut source = String::new();
    if !fragment.contains("kentai:") {
        source.push_str("kentai: 1\nworkflow: example\n");
    }
    if !fragment.contains("image:") && !fragment.contains("defaults:") {
        source.push_str("defaults: { image: \"example:1\" }\n");
    }
    source.push_str(fragment);
    if !fragment.contains("steps:") && !fragment.contains("---") {
        source.push_str("steps: { start: { receive: { require: [specimen] } } }\n");
    }
    check("example.yaml", source.as_bytes(), &site(), &|name| Err(format!("there is no file {name}")))
}

fn yaml(example: &str) -> Option<&str> {
    example.trim().strip_prefix("```yaml\n")?.strip_suffix("```")
}

#[test]
fn wrong_examples_are_told_under_their_code_and_right_ones_are_right() {
    for page in pages() {
        let code = page.code;
        if let Some(wrong) = yaml(page.wrong) {
            let checked = checked(wrong);
            let told: Vec<&str> = checked
                .diagnostics
                .iter()
                .map(|found| found.code)
                .filter(|told| !matches!(*told, "K050" | "K090"))
                .collect();
            let drawn = render(&checked.diagnostics, &checked.sources, Language::En, false);
            assert!(checked.diagnostics.iter().any(|found| found.code == code), "{code} is not told:\n{drawn}");
            assert!(
                told.iter().all(|told| *told == code) || matches!(code, "K050" | "K090"),
                "{code} is not alone: {told:?}\n{drawn}"
            );
        }
        if let Some(right) = yaml(page.right) {
            let checked = checked(right);
            let drawn = render(&checked.diagnostics, &checked.sources, Language::En, false);
            assert!(checked.workflow.is_some(), "{code}: the right example is wrong:\n{drawn}");
            assert!(checked.diagnostics.iter().all(|found| found.code != code), "{code}:\n{drawn}");
        }
    }
}

#[test]
fn machine_and_person_read_the_same_number_of_mistakes() {
    let checked = checked("steps: { a: { script: \"true\", nonsense: 1 } }\n");
    let drawn = render(&checked.diagnostics, &BTreeMap::new(), Language::Ja, false);
    assert_eq!(drawn.matches("K010").count(), 1);
}
