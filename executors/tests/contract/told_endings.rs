//! Ends against a Slurm whose answers are written here: what is believed of a job that is over, and of what it left on the shared disk.

use std::time::Duration;

use kentai_engine::port::executor::{Executor, Obstacle, Report, Task};
use kentai_engine::state::attempt::Cause;

use crate::support::house::{House, exited};
use crate::support::told::{Told, ends, failed, hands, in_doubt, job, line, printed, starts, to_the_end};

/// Longer than any of these stories: whoever waits so long has missed what happened.
const LONG: Duration = Duration::from_secs(600);

/// A house, a task of it, and a Slurm whose job leaves this on disk and comes to this end, both before anybody looks.
fn ended(state: &'static str, leaves: impl Fn(&Task) + Send + 'static) -> (House, Task, Told) {
    let house = House::process();
    let task = house.shell("true");
    let (name, of) = (job(&house, &task), task.clone());
    let told = Told::new(move |call, _| match call.program {
        "sbatch" => {
            leaves(&of);
            printed("7\n")
        }
        "squeue" => printed(&line(7, state, &name)),
        "scontrol" => failed("slurm_load_jobs error: Invalid job id specified"),
        other => panic!("{other}"),
    });
    (house, task, told)
}

/// The tool ran and went well, and left this.
fn well(task: &Task, files: &[(&str, &str)]) {
    starts(task);
    ends(task, files);
}

#[tokio::test]
async fn what_a_node_wrote_may_be_seen_late() {
    for state in ["COMPLETED", "FAILED", "TIMEOUT"] {
        let (house, task, told) = ended(state, |_| {});
        let hands = hands(&house, &told, |options| options.visibility = LONG);
        let (report, ()) = tokio::join!(to_the_end(&hands, &task), async {
            // Slurm's word is here long before the file system's.
            while told.calls("squeue").is_empty() {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
            starts(&task);
            ends(&task, &[("o.txt", "whole\n")]);
            tokio::time::sleep(Duration::from_millis(30)).await;
            std::fs::write(task.directory.join("work/o.txt"), "who").expect("written");
            tokio::time::sleep(Duration::from_millis(30)).await;
            std::fs::write(task.directory.join("work/o.txt"), "whole\n").expect("written");
        });
        let record = exited(report).record.expect("a record");
        assert_eq!(record.exit_code, Some(0), "{state}");
        let found = std::fs::read_to_string(task.directory.join("work/o.txt")).expect("there");
        assert_eq!(found, "whole\n", "{state}: told before all of it was seen");
    }
}

#[tokio::test]
async fn what_is_never_seen_whole_is_lost_and_not_well() {
    // Nothing of it; too short; as long as it was, and other bytes; a link to the right ones.
    let broken: [fn(&Task); 4] = [
        |_| {},
        |task| std::fs::write(task.directory.join("work/o.txt"), "who").expect("written"),
        |task| std::fs::write(task.directory.join("work/o.txt"), "wh0le\n").expect("written"),
        |task| {
            std::fs::write(task.directory.join("elsewhere"), "whole\n").expect("written");
            std::os::unix::fs::symlink("../elsewhere", task.directory.join("work/o.txt")).expect("linked");
        },
    ];
    for (case, leave) in broken.into_iter().enumerate() {
        let (house, task, told) = ended("COMPLETED", move |task| {
            leave(task);
            well(task, &[("o.txt", "whole\n")]);
        });
        let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
        assert!(matches!(report, Report::Lost(_)), "case {case}: {report:?}");
    }
}

#[tokio::test]
async fn what_was_seen_whole_once_is_not_waited_for_after_the_collector_took_it() {
    let (house, task, told) = ended("COMPLETED", |task| {
        std::fs::write(task.directory.join("work/o.txt"), "whole\n").expect("written");
        well(task, &[("o.txt", "whole\n")]);
    });
    let report = to_the_end(&hands(&house, &told, |options| options.visibility = LONG), &task).await;
    // Taken, and the engine dies before it is on record.
    std::fs::remove_dir_all(task.directory.join("work")).expect("removed");
    let next = hands(&house, &told, |_| {});
    assert_eq!(to_the_end(&next, &task).await, report);
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
}

#[tokio::test]
async fn a_job_that_starts_while_it_is_given_up_keeps_its_start() {
    let house = House::process();
    let task = house.shell("true");
    let (name, of) = (job(&house, &task), task.clone());
    let mut started = false;
    let told = Told::new(move |call, _| match call.program {
        "sbatch" => printed("7\n"),
        "squeue" if started => {
            ends(&of, &[]);
            printed(&(line(7, "FAILED", &name) + &line(8, "COMPLETED", &name)))
        }
        "squeue" => printed(&line(7, "FAILED", &name)),
        "scontrol" => {
            // Between the last look on disk and the fence: a second copy, on some node.
            starts(&of);
            started = true;
            failed("slurm_load_jobs error: Invalid job id specified")
        }
        other => panic!("{other}"),
    });
    let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
}

#[tokio::test]
async fn one_of_two_copies_that_ended_ends_nothing() {
    let house = House::process();
    let task = house.shell("true");
    let (name, of) = (job(&house, &task), task.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", _) => printed("7\n"),
        ("squeue", 0..5) => printed(&(line(7, "FAILED", &name) + &line(8, "RUNNING", &name))),
        ("squeue", _) => {
            starts(&of);
            ends(&of, &[]);
            printed(&(line(7, "FAILED", &name) + &line(8, "COMPLETED", &name)))
        }
        other => panic!("{other:?}"),
    });
    let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
    assert_eq!(told.calls("squeue").len(), 6);
}

#[tokio::test]
async fn a_state_that_nobody_knows_and_one_that_completes_are_waited_for() {
    for state in ["COMPLETING", "STAGE_OUT", "SIGNALING", "A_STATE_OF_NEXT_YEAR"] {
        let house = House::process();
        let task = house.shell("true");
        let (name, of) = (job(&house, &task), task.clone());
        let told = Told::new(move |call, nth| match (call.program, nth) {
            ("sbatch", _) => printed("7\n"),
            ("squeue", 0..5) => printed(&line(7, state, &name)),
            ("squeue", _) => {
                starts(&of);
                ends(&of, &[]);
                printed(&line(7, "COMPLETED", &name))
            }
            other => panic!("{other:?}"),
        });
        let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
        assert_eq!(exited(report).record.expect("a record").exit_code, Some(0), "{state}");
    }
}

#[tokio::test]
async fn an_exit_code_is_believed_only_of_this_very_job() {
    for (shown, submitted, believed) in [
        ("", "2026-11-26T12:00:00", true),
        ("", "2026-11-26T12:00:01", false),
        ("-another", "2026-11-26T12:00:00", false),
    ] {
        let house = House::process();
        let task = house.shell("true");
        let name = job(&house, &task);
        let told = Told::new(move |call, _| match call.program {
            "sbatch" => printed("7\n"),
            "squeue" => printed(&line(7, "FAILED", &name)),
            "scontrol" => {
                printed(&format!("JobId=7 JobName={name}{shown} SubmitTime={submitted} ExitCode=0:53 NodeList=n1\n"))
            }
            other => panic!("{other}"),
        });
        let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
        let Report::NotStarted(Obstacle::Infrastructure, words) = report else { panic!("{report:?}") };
        assert_eq!(words.contains("could not open the log"), believed, "{words}");
    }
}

#[tokio::test]
async fn accounting_is_asked_for_what_the_controller_forgot_and_a_failed_answer_decides_nothing() {
    let house = House::process();
    let task = house.shell("true");
    let name = job(&house, &task);
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => in_doubt(),
        ("squeue", _) => printed(""),
        ("sacct", 0 | 1) => failed("sacct: error: slurm_persist_conn_open: failed to connect"),
        ("sacct", _) => printed(&format!("7|CANCELLED by 0|2026-11-26T12:00:00|n1|1|cpu=1,mem=100M|0:0|{name}\n")),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| options.accounting = true);
    for _ in 0..2 {
        let report = hands.run(&task).await;
        assert!(matches!(report, Report::Unreachable(_)), "{report:?}");
    }
    let report = to_the_end(&hands, &task).await;
    let Report::NotStarted(Obstacle::Infrastructure, words) = report else { panic!("{report:?}") };
    assert!(words.contains("canceled from outside"), "{words}");
    assert_eq!(told.calls("sbatch").len(), 1, "it was accepted, and is not submitted again");
}

#[tokio::test]
async fn over_its_memory_is_no_success_whatever_its_record_says() {
    let (house, task, told) = ended("OUT_OF_MEMORY", |task| well(task, &[]));
    let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    let evidence = exited(report);
    assert!(evidence.oom_killed && evidence.record.is_some_and(|record| record.exit_code == Some(0)));
}

#[tokio::test]
async fn a_failed_node_without_a_record_is_nobodys_fault() {
    let (house, task, told) = ended("NODE_FAIL", starts);
    let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    let evidence = exited(report);
    assert_eq!((evidence.record, evidence.executor_cause), (None, Some(Cause::Infrastructure)));
}

#[tokio::test]
async fn another_nonce_or_another_digest_is_another_task() {
    let changes: [fn(&mut Task); 2] = [|task| task.nonce = "another".into(), |task| task.digest = "another".into()];
    for change in changes {
        let (house, task, told) = ended("COMPLETED", |task| well(task, &[]));
        let hands = hands(&house, &told, |_| {});
        let report = to_the_end(&hands, &task).await;
        exited(report);
        let mut other = task.clone();
        change(&mut other);
        let report = hands.run(&other).await;
        assert!(matches!(report, Report::Quarantine(_)), "{report:?}");
    }
}
