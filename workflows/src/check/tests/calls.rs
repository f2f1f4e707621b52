//! `call` steps: other files, found through a loader.

use std::collections::BTreeMap;

use super::*;

const COVERAGE: &str = "kentai: 1
workflow: coverage
params: { depth: { type: number, default: 30 }, reference: { type: reference } }
specimen: { inputs: { bam: file } }
steps:
  count:
    image: example:1
    inputs: { bam: \"${{ specimen.bam }}\" }
    outputs: { n: { path: n.txt } }
    script: date > \"$out_n\"
outputs: { n: steps.count.n }
";

fn with_files(source: &str, files: &[(&str, &str)]) -> Checked {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let load = |name: &str| match files.get(name) {
        Some(text) => Ok((name.to_owned(), text.as_bytes().to_vec())),
        None => Err("there is no such file".to_owned()),
    };
    check("a.yaml", source.as_bytes(), &Site::default(), &load)
}

fn caller(call: &str) -> String {
    format!(
        "kentai: 1\nworkflow: caller\nparams: {{ reference: {{ type: reference }} }}\nspecimen: {{ inputs: {{ bam: file }} }}\nsteps:\n  more:\n    call: {{ workflow: coverage.yaml, {call} }}\n  show:\n    image: example:1\n    inputs: {{ n: \"${{{{ steps.more.n }}}}\" }}\n    script: cat \"$in_n\"\n"
    )
}

fn errors(checked: &Checked) -> Vec<(&'static str, &str)> {
    let errors = checked.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| (found.code, found.file.as_str())).collect()
}

#[test]
fn a_call_gives_what_the_other_file_lists() {
    let checked = with_files(
        &caller("with: { depth: 20, reference: \"${{ params.reference }}\" }"),
        &[("coverage.yaml", COVERAGE)],
    );
    let workflow = checked.workflow.as_ref().unwrap_or_else(|| panic!("{}", drawn(&checked, Language::En)));
    assert_eq!(workflow.calls["coverage.yaml"].id, "coverage");
    assert_eq!(workflow.step("show").expect("show").uses[0].step, "more");
}

#[test]
fn what_a_call_gives_and_needs_is_compared() {
    let checked = with_files(
        &caller("with: { dept: 20 }, inputs: { cram: \"${{ specimen.bam }}\" }"),
        &[("coverage.yaml", COVERAGE)],
    );
    assert_eq!(errors(&checked), [("K073", "a.yaml"); 3]);
}

#[test]
fn a_file_that_is_not_there_is_told_once() {
    let checked = with_files(&caller("with: {}"), &[]);
    assert_eq!(errors(&checked).iter().filter(|(code, _)| *code == "K070").count(), 1);
}

#[test]
fn mistakes_of_the_other_file_are_told_with_its_name() {
    let broken = COVERAGE.replace("specimen.bam", "specimen.bma");
    let checked =
        with_files(&caller("with: { reference: \"${{ params.reference }}\" }"), &[("coverage.yaml", &broken)]);
    let errors = errors(&checked);
    assert!(errors.contains(&("K071", "a.yaml")) && errors.contains(&("K013", "coverage.yaml")), "{errors:?}");
    assert!(drawn(&checked, Language::En).contains("coverage.yaml:8"));
}

#[test]
fn workflows_that_call_one_another_are_told_as_a_path() {
    let call =
        |other: &str| format!("kentai: 1\nworkflow: x\nsteps: {{ more: {{ call: {{ workflow: {other} }} }} }}\n");
    let checked = with_files(&call("b.yaml"), &[("b.yaml", &call("c.yaml")), ("c.yaml", &call("b.yaml"))]);
    let text = drawn(&checked, Language::En);
    assert!(text.contains("K072") && text.contains("b.yaml → c.yaml → b.yaml"), "{text}");
    assert!(checked.workflow.is_none());
}
