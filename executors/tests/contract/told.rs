//! Submissions and looks against a Slurm whose answers are written here: each guard has its own case, also where another guard behind it
//! would make its failure harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kentai_engine::port::executor::{Executor, Obstacle, Report, Task};
use kentai_executors::slurm::Said;

use crate::support::house::{House, WITNESS, exited};
use crate::support::told::{
    Says, Told, ends, failed, hands, in_doubt, job, line, printed, runs, setting, starts, to_the_end,
};

#[tokio::test]
async fn an_engine_that_dies_while_it_submits_leaves_a_job_that_the_next_one_finds() {
    let (house, task, name) = setting();
    let submitted = Arc::new(tokio::sync::Notify::new());
    let (there, of, shown) = (submitted.clone(), task.clone(), name.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => {
            // Slurm has it, and nobody hears so.
            there.notify_one();
            Says::Never
        }
        ("sbatch", _) => printed("8\n"),
        ("squeue", _) => runs(&of, &shown),
        other => panic!("{other:?}"),
    });
    let first = hands(&house, &told, |_| {});
    tokio::select! {
        report = first.run(&task) => panic!("{report:?}"),
        () = submitted.notified() => {}
    }
    let next = hands(&house, &told, |_| {});
    assert_eq!(exited(to_the_end(&next, &task).await).record.expect("a record").exit_code, Some(0));
    assert_eq!(told.calls("sbatch").len(), 1, "it was written down before it was asked for, and found by its name");
}

#[tokio::test]
async fn a_submission_in_doubt_is_looked_for_by_name_and_not_made_again() {
    let (house, task, name) = setting();
    let (of, shown) = (task.clone(), name.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => in_doubt(),
        ("sbatch", _) => printed("8\n"),
        // It comes to light a little later.
        ("squeue", 0 | 1) => printed(""),
        ("squeue", _) => runs(&of, &shown),
        other => panic!("{other:?}"),
    });
    exited(to_the_end(&hands(&house, &told, |_| {}), &task).await);
    assert_eq!(told.calls("sbatch").len(), 1);
}

/// A submission that was lost and is made again; gives the story, and how many looks lay between.
async fn lost_once(between: Duration, settled: Duration) -> (Told, usize) {
    let (house, task, name) = setting();
    let (of, shown, mut again) = (task.clone(), name.clone(), false);
    let looks = Arc::new(AtomicUsize::new(0));
    let looked = looks.clone();
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => in_doubt(),
        ("sbatch", 1) => {
            again = true;
            printed("8\n")
        }
        ("squeue", _) if again => runs(&of, &shown),
        ("squeue", _) => {
            looked.fetch_add(1, Ordering::SeqCst);
            printed("")
        }
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| {
        options.pace.between = between;
        options.pace.between_max = between;
        options.pace.settled = settled;
    });
    exited(to_the_end(&hands, &task).await);
    (told, looks.load(Ordering::SeqCst))
}

#[tokio::test]
async fn only_three_looks_that_do_not_show_a_job_make_its_submission_again() {
    let (told, looks) = lost_once(Duration::from_millis(40), Duration::from_millis(1)).await;
    assert!(looks >= 3, "{looks} looks");
    assert_eq!(told.calls("sbatch").len(), 2);
}

#[tokio::test]
async fn and_only_when_no_request_can_still_be_on_its_way() {
    let settled = Duration::from_millis(300);
    let (told, _) = lost_once(Duration::from_millis(1), settled).await;
    let (submitted, looked) = (told.times("sbatch"), told.times("squeue"));
    assert!(submitted[1] - looked[0] >= settled, "{:?} after the first look", submitted[1] - looked[0]);
}

#[tokio::test]
async fn a_look_that_was_asked_before_a_submission_in_doubt_says_nothing_of_it() {
    let settled = Duration::from_millis(200);
    let (house, other, name) = setting();
    let task = house.shell("true");
    let (mine, of, companion) = (job(&house, &task), task.clone(), other.clone());
    let asked = Arc::new(tokio::sync::Notify::new());
    let answered = Arc::new(tokio::sync::Notify::new());
    let (is_asked, mut doubt) = (asked.clone(), None::<std::time::Instant>);
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => printed("1\n"),
        ("sbatch", 1) => {
            doubt = Some(std::time::Instant::now());
            answered.notify_one();
            in_doubt()
        }
        ("sbatch", _) => printed("3\n"),
        // The controller is slow: this look is answered after the submission that it knows nothing of.
        ("squeue", 0) => {
            is_asked.notify_one();
            let said = Said { code: Some(0), out: line(1, "RUNNING", &name), err: String::new() };
            Says::Once(answered.clone(), said)
        }
        // What may still be on its way arrives at the last moment.
        ("squeue", _) if doubt.is_some_and(|since| since.elapsed() >= settled) => {
            starts(&of);
            ends(&of, &[]);
            starts(&companion);
            ends(&companion, &[]);
            printed(&(line(1, "COMPLETED", &name) + &line(2, "COMPLETED", &mine)))
        }
        ("squeue", _) => printed(&line(1, "RUNNING", &name)),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| options.pace.settled = settled);
    let (first, second) = tokio::join!(to_the_end(&hands, &other), async {
        asked.notified().await;
        // The look is on its way for longer than any request.
        tokio::time::sleep(2 * settled).await;
        to_the_end(&hands, &task).await
    });
    exited(first);
    exited(second);
    assert_eq!(told.calls("sbatch").len(), 2, "one each");
}

#[tokio::test]
async fn looks_that_fail_change_nothing_whatever_they_print() {
    let (house, task, name) = setting();
    let (of, shown) = (task.clone(), name.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", _) => printed("7\n"),
        ("squeue", 0) => printed(&line(7, "RUNNING", &shown)),
        ("squeue", 1..12) => Says::Now(Said { code: Some(1), out: String::new(), err: "Zero Bytes".into() }),
        ("squeue", 12..24) => Says::Now(Said { code: None, out: "7|FAI".into(), err: "it did not end".into() }),
        ("squeue", _) => runs(&of, &shown),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |_| {});
    exited(to_the_end(&hands, &task).await);
    assert_eq!(told.calls("sbatch").len(), 1);
    assert!(told.calls("squeue").len() > 24, "it was waited for");
}

#[tokio::test]
async fn looks_that_fail_are_no_looks_that_do_not_show_a_job() {
    let (house, task, name) = setting();
    let (of, shown) = (task.clone(), name.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", _) => printed("7\n"),
        // Left out twice, with failures between: two sightings, not four.
        ("squeue", 0 | 3) => printed(""),
        ("squeue", 1 | 2) => failed("slurm_load_jobs error: Zero Bytes were transmitted or received"),
        ("squeue", _) => runs(&of, &shown),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |_| {});
    // Two failures are not yet worth a word.
    exited(hands.run(&task).await);
    assert_eq!(told.calls("sbatch").len(), 1);
}

#[tokio::test]
async fn while_the_controller_does_not_answer_it_is_asked_less_and_less_often() {
    let (house, task, name) = setting();
    let (of, shown) = (task.clone(), name.clone());
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", _) => printed("7\n"),
        ("squeue", 0..6) => failed("slurm_load_jobs error: Unable to contact slurm controller (connect failure)"),
        ("squeue", _) => runs(&of, &shown),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| options.pace.between_max = Duration::from_millis(30));
    exited(to_the_end(&hands, &task).await);
    let looks = told.times("squeue");
    for (at, least) in [4, 8, 16, 30, 30, 30].into_iter().enumerate() {
        let pause = looks[at + 1] - looks[at];
        assert!(pause >= Duration::from_millis(least), "{pause:?} after {} failures", at + 1);
    }
}

#[tokio::test]
async fn what_is_never_seen_is_given_up_behind_a_fence_and_nothing_of_it_can_start_later() {
    let (house, task, _) = setting();
    let told = Told::new(|call, nth| match (call.program, nth) {
        ("sbatch", 0..5) => in_doubt(),
        ("squeue", _) => printed(""),
        other => panic!("{other:?}"),
    });
    let report = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    assert!(matches!(report, Report::NotStarted(Obstacle::Infrastructure, _)), "{report:?}");
    assert_eq!(told.calls("sbatch").len(), 5);
    // One of them was accepted after all, and reaches a node now.
    let witness = std::process::Command::new(WITNESS).arg("witness").arg(&task.directory).status();
    assert_eq!(witness.expect("the witness").code(), Some(96));
    // Whoever asks again hears the same, and submits nothing more.
    let again = to_the_end(&hands(&house, &told, |_| {}), &task).await;
    assert!(matches!(again, Report::NotStarted(Obstacle::Infrastructure, _)), "{again:?}");
    assert_eq!(told.calls("sbatch").len(), 5);
}

#[tokio::test]
async fn a_controller_out_of_reach_and_a_refusal_use_up_no_try() {
    for refusal in [
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
    ] {
        let (house, task, name) = setting();
        let (of, shown, mut accepted) = (task.clone(), name.clone(), false);
        let told = Told::new(move |call, nth| match (call.program, nth) {
            ("sbatch", 0..7) => failed(refusal),
            // The first that may have been accepted, and was not.
            ("sbatch", 7) => in_doubt(),
            ("sbatch", _) => {
                accepted = true;
                printed("7\n")
            }
            ("squeue", _) if accepted => runs(&of, &shown),
            ("squeue", _) => printed(""),
            other => panic!("{other:?}"),
        });
        let hands = hands(&house, &told, |options| options.pace.refused = Duration::from_millis(1));
        exited(to_the_end(&hands, &task).await);
        assert_eq!(told.calls("sbatch").len(), 9, "{refusal}");
    }
}

#[tokio::test]
async fn two_calls_for_one_attempt_submit_it_once() {
    const TAKES: Duration = Duration::from_millis(50);
    let (house, task, name) = setting();
    let (of, shown, mut asked) = (task.clone(), name.clone(), None::<std::time::Instant>);
    let later = |time, out: &str| Says::After(time, Said { code: Some(0), out: out.into(), err: String::new() });
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", _) => {
            asked.get_or_insert_with(std::time::Instant::now);
            later(TAKES, "7\n")
        }
        ("squeue", 200..) => runs(&of, &shown),
        // Slurm is slow to take it, and the other call looks for it all the while.
        ("squeue", _) if asked.is_none_or(|since| since.elapsed() < TAKES) => printed(""),
        ("squeue", _) => printed(&line(7, "PENDING", &shown)),
        // Whoever thinks that there is no such job comes to act on it after it is there.
        ("sacct", _) => later(2 * TAKES, ""),
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| options.accounting = true);
    let (first, second) = tokio::join!(to_the_end(&hands, &task), to_the_end(&hands, &task));
    assert_eq!(first, second);
    assert_eq!(told.calls("sbatch").len(), 1);
}

#[tokio::test]
async fn a_call_that_looked_before_another_submitted_looks_again() {
    let (house, task, name) = setting();
    let (of, shown, mut accepted) = (task.clone(), name.clone(), false);
    let told = Told::new(move |call, nth| match (call.program, nth) {
        ("sbatch", 0) => in_doubt(),
        ("sbatch", _) => {
            accepted = true;
            printed("8\n")
        }
        ("squeue", 200..) => runs(&of, &shown),
        ("squeue", _) if accepted => printed(&line(8, "PENDING", &shown)),
        ("squeue", _) => printed(""),
        // Both calls see nothing; one of them is late to act on it.
        ("sacct", 0) => printed(""),
        ("sacct", _) => {
            Says::After(Duration::from_millis(100), Said { code: Some(0), out: String::new(), err: String::new() })
        }
        other => panic!("{other:?}"),
    });
    let hands = hands(&house, &told, |options| options.accounting = true);
    let (first, second) = tokio::join!(to_the_end(&hands, &task), to_the_end(&hands, &task));
    assert_eq!(first, second);
    assert_eq!(told.calls("sbatch").len(), 2, "the one in doubt, and one again");
}

#[tokio::test]
async fn at_most_two_submissions_are_on_their_way_at_once() {
    let house = House::process();
    let tasks: Vec<Task> = (0..24).map(|_| house.shell("true")).collect();
    let jobs: Vec<(Task, String)> = tasks.iter().map(|task| (task.clone(), job(&house, task))).collect();
    let told = Told::new(move |call, _| match call.program {
        "sbatch" => {
            Says::After(Duration::from_millis(3), Said { code: Some(0), out: "7\n".into(), err: String::new() })
        }
        "squeue" => {
            let there = jobs.iter().filter(|(task, _)| task.directory.exists());
            let line = |(task, name): &(Task, String)| {
                starts(task);
                ends(task, &[]);
                line(7, "COMPLETED", name)
            };
            printed(&there.map(line).collect::<String>())
        }
        other => panic!("{other}"),
    });
    let hands = hands(&house, &told, |_| {});
    futures_util::future::join_all(tasks.iter().map(|task| to_the_end(&hands, task))).await;
    assert_eq!(told.most_submitting(), 2);
}

#[tokio::test]
async fn a_crash_leaves_no_more_in_doubt_than_was_at_the_desk() {
    let house = House::process();
    let tasks: Vec<Task> = (0..24).map(|_| house.shell("true")).collect();
    let told = Told::new(|call, _| match call.program {
        "sbatch" => Says::Never,
        "squeue" => printed(""),
        other => panic!("{other}"),
    });
    let hands = hands(&house, &told, |_| {});
    let begun = || {
        let kept = std::fs::read_dir(house.path("attempts/.slurm")).into_iter().flatten().flatten();
        kept.filter(|kept| kept.path().extension().is_some_and(|ending| ending == "json")).count()
    };
    let looks = async {
        // Whoever may begin has time to while there are looks.
        for seen in 0.. {
            hands.held().await.expect("a list");
            if begun() >= 8 && seen >= 50 {
                break;
            }
        }
    };
    tokio::select! {
        reports = futures_util::future::join_all(tasks.iter().map(|task| hands.run(task))) => panic!("{reports:?}"),
        () = looks => {}
    }
    assert_eq!(begun(), 8, "what was never asked for is submitted by the next engine without a search");
    assert_eq!(told.calls("sbatch").len(), 2);
}
