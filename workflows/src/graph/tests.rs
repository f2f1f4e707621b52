//! Drawings of small workflows.

use crate::diagnostic::Language;
use crate::expression::Expression;
use crate::graph::{drawn_edges, edges, layout, mermaid, order, svg};
use crate::plan::fixture::{step, text, workflow};
use crate::workflow::{Approve, Gate, IfVerdict, Receive, StepKind, Text, Workflow};

fn gate() -> StepKind {
    StepKind::Gate(Gate {
        read: Vec::new(),
        checks: Vec::new(),
        if_warn: IfVerdict::Hold,
        if_fail: IfVerdict::Hold,
        track: Vec::new(),
    })
}

fn approve() -> StepKind {
    let ask = text("Release?");
    StepKind::Approve(Approve {
        roles: vec!["releaser".into()],
        count: 1,
        not_by: Vec::new(),
        ask,
        show: Vec::new(),
        expires_s: None,
        fail_if_expired: false,
    })
}

fn germline() -> Workflow {
    let mut release = step("release").after("call").uses("coverage_ok");
    release.kind = approve();
    release.when = Some(Expression::parse("steps.coverage_ok.verdict != \"pass\"").expect("good"));
    let mut reads_ok = step("reads_ok").uses("trim");
    reads_ok.kind = gate();
    let mut coverage_ok = step("coverage_ok").uses("merge");
    coverage_ok.kind = gate();
    let mut receive = step("receive");
    receive.title = Text { en: "Receive <specimen> & \"check\"".into(), ja: Some("検体受領".into()) };
    receive.kind = StepKind::Receive(Receive { require: Vec::new(), use_scope: None });
    workflow(vec![
        receive,
        step("trim").after("receive").command().for_each("lane", "specimen.lanes"),
        reads_ok,
        step("align").after("reads_ok").uses_each("trim").command().for_each("lane", "specimen.lanes"),
        step("merge").uses("align").command(),
        coverage_ok,
        step("call").uses("merge").command(),
        step("mito").uses("merge").command(),
        release,
        step("deliver").after("release").uses("merge").uses("mito"),
    ])
}

#[test]
fn the_file_order_is_kept_where_there_is_a_choice() {
    let free = workflow(vec![step("c"), step("a").after("b"), step("b"), step("d")]);
    assert_eq!(order(&free), Ok(vec![0, 2, 1, 3]));
    let cyclic = workflow(vec![step("a").after("a"), step("b"), step("c").uses("a")]);
    assert_eq!(order(&cyclic), Err(vec![0, 2]));
}

#[test]
fn edges_that_a_longer_way_says_are_not_drawn() {
    let workflow = germline();
    let named = |from: usize, to: usize| format!("{} {}", workflow.steps[from].id, workflow.steps[to].id);
    let drawn: Vec<String> = drawn_edges(&workflow).iter().map(|edge| named(edge.from, edge.to)).collect();
    assert!(edges(&workflow).len() > drawn.len());
    assert!(!drawn.contains(&"trim align".to_owned()) && !drawn.contains(&"merge deliver".to_owned()), "{drawn:?}");
    assert!(drawn.contains(&"mito deliver".to_owned()));
}

#[test]
fn no_two_boxes_share_a_spot_and_edges_run_to_the_right() {
    let workflow = germline();
    let edges = drawn_edges(&workflow);
    let spots = layout::spots(&workflow, &edges);
    let distinct: std::collections::BTreeSet<_> = spots.iter().collect();
    assert_eq!(distinct.len(), spots.len());
    assert!(edges.iter().all(|edge| spots[edge.from].column < spots[edge.to].column));
}

#[test]
fn mermaid_shows_kinds_and_loops() {
    insta::assert_snapshot!(mermaid(&germline()));
}

#[test]
fn the_svg_is_escaped_and_speaks_both_languages() {
    let (en, ja) = (svg(&germline(), Language::En), svg(&germline(), Language::Ja));
    assert!(en.contains("Receive &lt;specimen&gt; &amp; &quot;"));
    assert!(en.contains("command, per lane") && ja.contains("コマンド、lane ごと") && ja.contains("検体受領"));
    assert!(!en.contains("<script") && !en.contains("style="));
    insta::assert_snapshot!(en);
}

#[test]
fn a_workflow_of_one_step_and_one_with_a_cycle_are_drawn_too() {
    assert!(svg(&workflow(vec![step("only")]), Language::En).contains("data-step=\"only\""));
    assert!(svg(&workflow(Vec::new()), Language::En).ends_with("</svg>\n"));
    assert!(svg(&workflow(vec![step("a").after("b"), step("b").after("a")]), Language::En).contains("data-to=\"b\""));
}
