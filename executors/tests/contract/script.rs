//! The scripted hands keep the same contract, so that what the engine learns from them holds for real ones.

use kentai_engine::port::executor::{Error, Executor, Report, Stop};
use kentai_executors::scripted::{Call, ScriptedExecutor, exited};

use crate::support::house::House;

#[tokio::test]
async fn an_attempt_is_started_once_and_its_report_stays_the_same() {
    let task = House::process().shell("true");
    let hands = ScriptedExecutor::always_well();
    assert_eq!(hands.run(&task).await, hands.run(&task).await);
    let id = task.attempt.clone();
    assert_eq!(hands.calls(), [Call::Started(id.clone()), Call::Adopted(id)]);
}

#[tokio::test]
async fn an_attempt_without_a_report_runs_until_it_is_told() {
    let task = House::process().shell("true");
    let hands = ScriptedExecutor::new(|_| None);
    tokio::select! {
        biased;
        report = hands.run(&task) => panic!("{report:?}"),
        () = tokio::task::yield_now() => {}
    }
    assert!(hands.held().await.expect("a list")[0].running);
    let (report, ()) = tokio::join!(hands.run(&task), async { hands.report(&task.attempt, exited(&task, 3)) });
    assert_eq!(report, exited(&task, 3));
}

#[tokio::test]
async fn a_stop_ends_it_and_an_absent_daemon_is_unreachable() {
    let task = House::process().shell("true");
    let hands = ScriptedExecutor::new(|_| None);
    hands.set_unreachable(true);
    assert!(matches!(hands.run(&task).await, Report::Unreachable(_)));
    assert!(matches!(hands.held().await, Err(Error::Unreachable { .. })));
    hands.set_unreachable(false);
    hands.report_once(Report::Lost("once".into()));
    assert_eq!(hands.run(&task).await, Report::Lost("once".into()));
    let (report, stop) = tokio::join!(hands.run(&task), hands.stop(&task, Stop::Ask));
    stop.expect("asked");
    assert!(matches!(report, Report::Exited(_)));
    hands.forget(&task.attempt).await.expect("forgotten");
    assert!(hands.held().await.expect("a list").is_empty());
}
