//! Tallies and keys of one run's page.

use super::*;

fn row(step: &str, status: &str, (steps, heads): (i64, i64)) -> rows::run::Tally {
    let step = step.to_owned();
    let status = status.to_owned();
    rows::run::Tally { step, status, steps, heads, warned: 0, again: 0, position: 0, first_us: 5, last_us: 9 }
}

#[test]
fn a_step_with_items_is_counted_by_its_items_alone() {
    let rows = [row("call", "waiting", (1, 1)), row("call", "succeeded", (18, 0)), row("call", "running", (6, 0))];
    let steps = tallies(&rows);
    assert_eq!(steps.len(), 1);
    let call = &steps[0];
    assert!(call.scattered);
    assert_eq!((call.counts.total(), call.counts.done(), call.counts.of(TaskState::Waiting)), (24, 18, 0));
}

#[test]
fn a_step_alone_is_its_own_task_and_a_warning_is_told_apart() {
    let warned = rows::run::Tally { warned: 1, ..row("reads_ok", "succeeded", (1, 1)) };
    let steps = tallies(&[row("trim", "failed", (1, 1)), warned]);
    assert_eq!((steps[0].counts.of(TaskState::Failed), steps[0].scattered), (1, false));
    assert_eq!((steps[1].counts.of(TaskState::Warned), steps[1].counts.of(TaskState::Passed)), (1, 0));
}

#[test]
fn every_status_of_a_step_has_a_state() {
    for status in step::Status::ALL {
        let state = TaskState::of(status.word(), false);
        assert_ne!(state, TaskState::Warned, "{status}");
    }
    assert_eq!(TaskState::of("succeeded", true), TaskState::Warned);
}

#[test]
fn keys_come_back_as_they_were_and_strange_ones_are_none() {
    assert_eq!(behind("3.17.call/L001,chr1.x"), Some((3, 17, "call/L001,chr1.x".into())));
    assert_eq!(file_behind("0.bam.align/L.1"), Some(("align/L.1".into(), "bam".into(), 0)));
    assert_eq!((behind("x.1.y"), file_behind("")), (None, None));
}
