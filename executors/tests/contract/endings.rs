//! How an attempt can end, alike for every executor.

use kentai_engine::port::executor::{Mount, Report, Stop};

use crate::support::house::{House, appeared, exited};

macro_rules! contract {
    ($($name:ident)+) => {
        mod process { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
            super::$name(crate::support::house::House::process()).await;
        })+ }
        mod docker { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
            if let Some(house) = crate::support::docker::house() {
                super::$name(house).await;
            }
        })+ }
    };
}
pub(crate) use contract;

contract! {
    a_tool_sees_its_inputs_and_environment_and_leaves_its_outputs
    an_exit_code_comes_through
    a_missing_tool_is_recorded_with_127
    a_file_that_is_not_executable_is_recorded_with_126
    a_tool_that_is_asked_to_end_ends_and_the_record_says_so
    a_tool_that_ignores_the_request_is_killed_after_the_grace
    a_killed_attempt_ends_without_success
    an_attempt_stopped_before_it_was_started_never_runs_its_tool
    a_tool_over_its_time_is_ended_by_the_witness
    a_log_is_kept_up_to_its_cap_and_counted_beyond
    what_a_tool_leaves_running_in_the_background_dies_with_it
}

pub(crate) async fn a_tool_sees_its_inputs_and_environment_and_leaves_its_outputs(house: House) {
    let input = house.path("reads");
    std::fs::write(&input, "ACGT\n").expect("write");
    let mut task =
        house.shell("cat ../in/r1/reads.fq > out.txt; echo $SAMPLE >> out.txt; echo said; test -w \"$TMPDIR\"");
    task.mounts = vec![Mount { source: input, target: "r1/reads.fq".into() }];
    let evidence = exited(house.run(&task).await);
    let record = evidence.record.expect("a record");
    assert_eq!((record.exit_code, record.signal, record.oom_kills), (Some(0), None, 0), "{record:?}");
    assert_eq!((record.attempt.as_str(), record.nonce.as_str()), (task.attempt.as_str(), task.nonce.as_str()));
    assert!(record.started_us > 0 && record.ended_us >= record.started_us && record.max_rss_bytes > 0);
    assert!(!record.stopped && !record.timed_out && evidence.executor_error.is_none() && !evidence.oom_killed);
    assert_eq!(std::fs::read_to_string(task.directory.join("work/out.txt")).expect("made"), "ACGT\nS1\n");
    assert_eq!(std::fs::read_to_string(task.directory.join("tool.log")).expect("a log"), "said\n");
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn an_exit_code_comes_through(house: House) {
    let task = house.shell("exit 3");
    let evidence = exited(house.run(&task).await);
    assert_eq!(evidence.record.expect("a record").exit_code, Some(3));
    assert_eq!(evidence.executor_exit_code, Some(3));
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn a_missing_tool_is_recorded_with_127(house: House) {
    let record = house.record(&house.task(&["no-such-tool", "--version"])).await;
    assert_eq!(record.exit_code, Some(127));
    assert!(record.error.expect("a reason").contains("no-such-tool"));
}

pub(crate) async fn a_file_that_is_not_executable_is_recorded_with_126(house: House) {
    let record = house.record(&house.task(&["/etc/passwd"])).await;
    assert_eq!(record.exit_code, Some(126));
    assert!(record.error.is_some());
}

pub(crate) async fn a_tool_that_is_asked_to_end_ends_and_the_record_says_so(house: House) {
    let task = house.shell("echo here > here; exec sleep 1000");
    let (report, ()) = tokio::join!(house.run(&task), async {
        appeared(&task.directory.join("work/here")).await;
        house.executor.stop(&task, Stop::Ask).await.expect("asked");
    });
    let record = exited(report).record.expect("a record");
    assert!(record.stopped && !record.timed_out, "{record:?}");
    assert_eq!((record.exit_code, record.signal), (None, Some(15)));
    house.executor.stop(&task, Stop::Ask).await.expect("fine when nothing runs");
    house.executor.stop(&task, Stop::Kill).await.expect("fine when nothing runs");
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn a_tool_that_ignores_the_request_is_killed_after_the_grace(house: House) {
    let mut task = house.shell("trap '' TERM; echo here > here; while :; do sleep 1000; done");
    task.grace_s = 1;
    let (report, ()) = tokio::join!(house.run(&task), async {
        appeared(&task.directory.join("work/here")).await;
        house.executor.stop(&task, Stop::Ask).await.expect("asked");
    });
    let record = exited(report).record.expect("a record");
    assert!(record.stopped, "{record:?}");
    assert_eq!(record.signal, Some(9));
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn a_killed_attempt_ends_without_success(house: House) {
    let task = house.shell("trap '' TERM; (echo here > here; sleep 1000) & wait; sleep 1000");
    let (report, ()) = tokio::join!(house.run(&task), async {
        appeared(&task.directory.join("work/here")).await;
        house.executor.stop(&task, Stop::Kill).await.expect("killed");
    });
    match &report {
        Report::Lost(_) => {}
        Report::Exited(evidence) => {
            let clean = evidence.record.as_ref().is_some_and(|record| record.exit_code == Some(0));
            assert!(!clean, "{report:?}");
        }
        _ => panic!("{report:?}"),
    }
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn an_attempt_stopped_before_it_was_started_never_runs_its_tool(house: House) {
    let task = house.shell("echo ran > ran");
    house.executor.stop(&task, Stop::Ask).await.expect("noted");
    let record = exited(house.run(&task).await).record.expect("a record");
    assert!(record.stopped && record.exit_code.is_none(), "{record:?}");
    assert!(!task.directory.join("work/ran").exists());
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

pub(crate) async fn a_tool_over_its_time_is_ended_by_the_witness(house: House) {
    let mut task = house.shell("sleep 1000");
    task.timeout_s = 1;
    let record = house.record(&task).await;
    assert!(record.timed_out && !record.stopped, "{record:?}");
    assert_eq!(record.signal, Some(15));
}

pub(crate) async fn a_log_is_kept_up_to_its_cap_and_counted_beyond(house: House) {
    let mut task = house.shell("head -c 200000 /dev/zero; head -c 1000 /dev/zero >&2");
    task.log_bytes_max = 1000;
    let record = house.record(&task).await;
    assert_eq!((record.exit_code, record.log_dropped_bytes), (Some(0), 200_000));
    assert_eq!(task.directory.join("tool.log").metadata().expect("a log").len(), 1000);
}

pub(crate) async fn what_a_tool_leaves_running_in_the_background_dies_with_it(house: House) {
    // The first keeps the pipe open, the second leaves the process group as well.
    let task = house.shell("sleep 1000 & setsid sleep 1001 & echo done");
    let record = house.record(&task).await;
    assert_eq!(record.exit_code, Some(0));
    assert!(house.executor.held().await.expect("a list").iter().all(|held| !held.running));
}
