//! The diagnostics that the manual shows, as a terminal shows them.

use super::*;

fn only(source: &str, code: &str) -> String {
    let mut checked = checked(source);
    checked.diagnostics.retain(|found| found.code == code);
    format!("{}{}", drawn(&checked, Language::En), drawn(&checked, Language::Ja))
}

#[test]
fn an_unknown_step() {
    insta::assert_snapshot!(only(&GERMLINE.replace("steps.align.all.bam", "steps.alignn.all.bam"), "K012"));
}

#[test]
fn one_of_many() {
    insta::assert_snapshot!(only(&GERMLINE.replace("steps.trim.each.r1", "steps.trim.r1"), "K021"));
}

#[test]
fn a_condition_that_would_always_be_true() {
    let source =
        GERMLINE.replace("when: steps.coverage_ok.verdict != \"pass\"", "when: ${{ params.min_depth }} == \"x\"");
    insta::assert_snapshot!(only(&source, "K030"));
}

#[test]
fn a_step_that_may_be_skipped() {
    let source = GERMLINE.replace("  call:\n", "  call:\n    when: params.min_depth > 1\n");
    insta::assert_snapshot!(only(&source, "K041"));
}

#[test]
fn an_unquoted_value() {
    insta::assert_snapshot!(only(&GERMLINE.replace("\"${{ lane.r1 }}\"", "{{ lane.r1 }}"), "K003"));
}

#[test]
fn interpolation_in_a_script() {
    let source = GERMLINE
        .replace("--in1 \"$in_r1\"", "--in1 ${{ lane.r1 }}")
        .replace("--in2 \"$in_r2\"", "--in2 ${{ lane.id }}");
    insta::assert_snapshot!(only(&source, "K031"));
}

#[test]
fn a_circle_of_steps() {
    insta::assert_snapshot!(only(&GERMLINE.replace("after: [receive]", "after: [deliver]"), "K040"));
}
