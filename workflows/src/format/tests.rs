//! Formatting from outside: what changes, what never does.

use proptest::prelude::*;

use super::*;

const GERMLINE: &str = include_str!("../check/examples/germline_wgs.yaml");

fn formatted(source: &str) -> String {
    format(source).expect("YAML")
}

#[test]
fn levels_become_two_spaces_and_comments_stay() {
    let source = "kentai: 1   \nsteps:\n    # first\n    one:\n        script: |\n            wc -l   \n              more\n\n            end\n        after:\n        - two\n    # second\n    two:\n          call: {a: 1,\n                 b: 2}  # why\n          env:\n              A: \"x\n                y\"\n\n\n\n";
    insta::assert_snapshot!(formatted(source));
}

#[test]
fn lists_of_maps_keep_their_alignment() {
    let source = "triggers:\n     -   schedule:\n              cron: x\n         api: {}\n     - run_folder:\n          root: y\n";
    insta::assert_snapshot!(formatted(source));
}

#[test]
fn what_is_canonical_stays_as_it_is() {
    for source in [GERMLINE, include_str!("../check/examples/hello.yaml")] {
        assert_eq!(formatted(source), source);
    }
}

#[test]
fn steps_are_set_apart_with_their_comments() {
    assert_eq!(
        formatted("steps:\n  a: { script: x }\n  # of b\n  b: { script: y }\n"),
        "steps:\n  a: { script: x }\n\n  # of b\n  b: { script: y }\n"
    );
}

#[test]
fn a_file_that_is_no_yaml_is_told() {
    assert_eq!(format("a: [").expect_err("refused")[0].code, "K001");
    assert_eq!(format("").expect_err("refused")[0].code, "K009");
}

fn comments(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.trim().strip_prefix('#')).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn meaning_and_comments_survive_and_twice_is_once(lines in prop::collection::vec((0_usize..7, prop::sample::select(vec![
        "a: 1", "b:", "steps:", "- x", "- k: v", "# note", "", "t: |", "text here  ", "f: { a: 1,", "b: [2, 3] }", "q: \"open", "close\"",
        "c: &x y", "d: *x", "- - z", "e: >-", "g: 'it''s'  ", "---", "h: x # end",
    ])), 0..14)) {
        let source: String = lines.iter().map(|(indent, text)| format!("{}{text}\n", " ".repeat(*indent))).collect();
        if let Ok(once) = format(&source) {
            let before = document::parse("", source.as_bytes()).root.expect("root");
            prop_assert!(means_the_same(&before, &once) || once == source);
            prop_assert_eq!(format(&once).expect("still YAML"), once.clone());
            prop_assert_eq!(comments(&once), comments(&source));
        }
    }
}
