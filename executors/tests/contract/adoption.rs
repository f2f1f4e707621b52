//! No attempt is started twice, whoever asks and however often, and whatever ended in between.

use kentai_engine::port::executor::{Report, Task};

use super::endings::contract;
use crate::support::house::{House, appeared, exited, lines};

contract! {
    a_run_dropped_in_the_middle_is_adopted_by_the_next
    a_run_asked_for_twice_at_once_is_executed_once
    an_attempt_that_ended_is_reported_again_and_not_started_again
    another_task_under_the_same_attempt_is_put_in_quarantine
    what_is_running_is_held_and_what_ended_is_not_running
}

/// The tool's own testimony of its starts, then a wait for the test's word.
const TESTIFY: &str = "echo start >> starts; while [ ! -e go ]; do sleep 0.01; done";

pub(crate) async fn a_run_dropped_in_the_middle_is_adopted_by_the_next(house: House) {
    let task = house.shell(TESTIFY);
    let starts = task.directory.join("work/starts");
    tokio::select! {
        report = house.run(&task) => panic!("{report:?}"),
        () = appeared(&starts) => {}
    }
    let (report, ()) = tokio::join!(house.run(&task), async {
        std::fs::write(task.directory.join("work/go"), "").expect("write");
    });
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
    assert_eq!(lines(&starts), 1);
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn a_run_asked_for_twice_at_once_is_executed_once(house: House) {
    let task = house.shell(TESTIFY);
    let starts = task.directory.join("work/starts");
    let (first, second, third, ()) = tokio::join!(house.run(&task), house.run(&task), house.run(&task), async {
        appeared(&starts).await;
        std::fs::write(task.directory.join("work/go"), "").expect("write");
    });
    let records = [first, second, third].map(|report| {
        let evidence = exited(report);
        assert!(matches!(evidence.executor_exit_code, None | Some(0)), "{evidence:?}");
        evidence.record.expect("a record")
    });
    assert_eq!(records[0], records[1]);
    assert_eq!(records[0], records[2]);
    assert_eq!(lines(&starts), 1);
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn an_attempt_that_ended_is_reported_again_and_not_started_again(house: House) {
    let task = house.shell("echo start >> starts; exit 4");
    let first = exited(house.run(&task).await).record;
    let second = exited(house.run(&task).await).record;
    assert_eq!(first, second);
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    house.executor.forget(&task.attempt).await.expect("forgotten");
    house.executor.forget(&task.attempt).await.expect("forgetting twice is fine");
}

pub(crate) async fn another_task_under_the_same_attempt_is_put_in_quarantine(house: House) {
    let task = house.shell("true");
    exited(house.run(&task).await);
    // By what is run, and by who asked for it: a directory that lay here before is not this attempt's.
    for (digest, nonce) in [("e".repeat(64), task.nonce.clone()), (task.digest.clone(), "another".to_owned())] {
        let report = house.run(&Task { digest, nonce, ..task.clone() }).await;
        assert!(matches!(report, Report::Quarantine(_)), "{report:?}");
    }
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn what_is_running_is_held_and_what_ended_is_not_running(house: House) {
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(house.run(&task), async {
        appeared(&task.directory.join("work/starts")).await;
        // A daemon may call a container created for a moment in which its tool runs already.
        while !house
            .executor
            .held()
            .await
            .expect("a list")
            .iter()
            .any(|held| held.attempt == task.attempt && held.running)
        {
            tokio::task::yield_now().await;
        }
        std::fs::write(task.directory.join("work/go"), "").expect("write");
    });
    exited(report);
    let held = house.executor.held().await.expect("a list");
    assert!(held.iter().all(|held| !held.running), "{held:?}");
    house.executor.forget(&task.attempt).await.expect("forgotten");
    assert!(house.executor.held().await.expect("a list").is_empty());
}
