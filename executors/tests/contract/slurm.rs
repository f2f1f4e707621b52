//! The same contract on a real Slurm, and what only a cluster can do wrong.

use std::sync::Arc;

use kentai_engine::port::executor::{Executor, Granted, Obstacle, Report, Stop, Task};
use kentai_engine::state::attempt::Cause;
use kentai_executors::slurm::Runtime;

use crate::support::house::{House, appeared, exited, lines};
use crate::support::slurm::{Cluster, podman_has};

macro_rules! on_slurm {
    ($($from:ident: $($name:ident)+;)+) => {
        mod programs { $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
            if let Some(cluster) = crate::support::slurm::Cluster::shared() {
                crate::contract::$from::$name(cluster.house()).await;
            }
        })+)+ }
        mod podman { $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
            let Some(cluster) = crate::support::slurm::Cluster::shared() else { return };
            if let Some(house) = cluster.podman_house() {
                crate::contract::$from::$name(house).await;
            }
        })+)+ }
    };
}

on_slurm! {
    endings:
        a_tool_sees_its_inputs_and_environment_and_leaves_its_outputs
        a_missing_tool_is_recorded_with_127
        a_file_that_is_not_executable_is_recorded_with_126
        a_tool_that_is_asked_to_end_ends_and_the_record_says_so
        a_tool_that_ignores_the_request_is_killed_after_the_grace
        a_killed_attempt_ends_without_success
        an_attempt_stopped_before_it_was_started_never_runs_its_tool
        a_tool_over_its_time_is_ended_by_the_witness
        a_log_is_kept_up_to_its_cap_and_counted_beyond
        what_a_tool_leaves_running_in_the_background_dies_with_it;
    adoption:
        a_run_dropped_in_the_middle_is_adopted_by_the_next
        a_run_asked_for_twice_at_once_is_executed_once
        an_attempt_that_ended_is_reported_again_and_not_started_again
        another_task_under_the_same_attempt_is_put_in_quarantine
        what_is_running_is_held_and_what_ended_is_not_running;
}

/// The tool's own testimony of its starts, then a wait for the test's word.
const TESTIFY: &str = "echo start >> starts; while [ ! -e go ]; do sleep 0.01; done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exit_code_is_the_tools_own() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house();
    let task = house.shell("exit 3");
    assert_eq!(exited(house.run(&task).await).record.expect("a record").exit_code, Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_canceled_from_outside_is_nobodys_fault_and_its_container_goes_with_it() {
    let Some(cluster) = Cluster::shared() else { return };
    for house in [Some(cluster.house()), cluster.podman_house()].into_iter().flatten() {
        let mut task = house.shell("trap '' TERM; echo here > here; while :; do sleep 1000; done");
        task.grace_s = 100;
        let (report, ()) = tokio::join!(house.run(&task), async {
            appeared(&task.directory.join("work/here")).await;
            cluster.call("scancel", &[&cluster.job(&house, &task.attempt).await]);
        });
        // The cluster kills 2 s after it has asked, long before the tool's own grace is over.
        let Report::Exited(evidence) = report else { panic!("{report:?}") };
        assert_eq!(evidence.executor_cause, Some(Cause::Infrastructure), "{evidence:?}");
        let name = format!("kentai-{}-{}", house.site, task.attempt);
        while podman_has(&name) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_over_its_memory_is_called_so() {
    let Some(cluster) = Cluster::shared() else { return };
    if !cluster.limits_memory() {
        eprintln!(
            "skipped: this Slurm watches memory and does not limit it (scripts/slurm-up as root, control groups of version 1)"
        );
        return;
    }
    for house in [Some(cluster.house()), cluster.podman_house()].into_iter().flatten() {
        // The shell goes on after its child was killed: an exit code of 0 must not hide it.
        let mut task = house.shell("head -c 400000000 /dev/zero | tail > /dev/null; exit 0");
        task.memory_bytes = 64 << 20;
        let evidence = exited(house.run(&task).await);
        let counted = evidence.record.as_ref().is_some_and(|record| record.oom_kills > 0);
        assert!(evidence.oom_killed || counted, "{evidence:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_tool_left_is_listed_as_coreutils_count_it() {
    let Some(cluster) = Cluster::shared() else { return };
    for house in [Some(cluster.house()), cluster.podman_house()].into_iter().flatten() {
        let task = house.shell("echo a > a.txt; mkdir d; head -c 300000 /dev/zero > d/b.bin; ln -s a.txt link");
        assert_eq!(exited(house.run(&task).await).record.expect("a record").exit_code, Some(0));
        let listing = std::fs::read_to_string(task.directory.join("outputs.json")).expect("a listing");
        let listing: serde_json::Value = serde_json::from_str(&listing).expect("JSON");
        let files = listing["files"].as_object().expect("files");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a.txt", "d/b.bin"], "a link is nobody's file");
        for (name, listed) in files {
            let path = task.directory.join("work").join(name);
            let sum = std::process::Command::new("sha256sum").arg(&path).output().expect("sha256sum").stdout;
            assert_eq!(listed["sha256"], String::from_utf8_lossy(&sum[..64]).as_ref(), "{name}");
            assert_eq!(listed["size"], std::fs::metadata(&path).expect("there").len(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_of_a_job_does_not_run_the_tool() {
    let Some(cluster) = Cluster::shared() else { return };
    for house in [Some(cluster.house()), cluster.podman_house()].into_iter().flatten() {
        let task = house.shell(TESTIFY);
        let (report, ()) = tokio::join!(house.run(&task), async {
            appeared(&task.directory.join("work/starts")).await;
            // Word for word what the engine asked for, as after a submission whose answer was lost.
            let job = cluster.job(&house, &task.attempt).await;
            let script = house.directory.path().join("again.sh");
            cluster.call("scontrol", &["write", "batch_script", &job, script.to_str().expect("a path")]);
            let shown = cluster.call("scontrol", &["-o", "show", "job", &job]);
            let command =
                shown.split(" Command=").nth(1).and_then(|rest| rest.split(" WorkDir=").next()).expect("its command");
            let words: Vec<&str> = command.split(' ').collect();
            let out = format!("--output={}", house.directory.path().join("again.log").display());
            let mut args = vec!["--wait", &out, "--chdir=/"];
            args.extend(&words);
            let again = std::process::Command::new("sbatch").args(&args).env("SLURM_CONF", cluster.conf()).status();
            assert_eq!(again.expect("sbatch").code(), Some(96), "the copy says that it was started before");
            std::fs::write(task.directory.join("work/go"), "").expect("write");
        });
        assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
        assert_eq!(lines(&task.directory.join("work/starts")), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_job_says_who_can_mend_it_and_goes_on_when_it_is_released() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house_with(|options| options.arguments = vec!["--hold".into()]);
    let task = house.shell("true");
    let Report::Waits(Some(why)) = house.run(&task).await else { panic!() };
    assert!(why.contains("JobHeldUser") && why.contains("scontrol release"), "{why}");
    let job = cluster.job(&house, &task.attempt).await;
    cluster.call("scontrol", &["release", &job]);
    assert_eq!(house.run(&task).await, Report::Waits(None));
    assert_eq!(exited(house.run(&task).await).record.expect("a record").exit_code, Some(0));
    assert_eq!(cluster.jobs(&house, &task.attempt), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slurm_refuses_waits_with_the_reason() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house_with(|options| options.partition = Some("nowhere".into()));
    let task = house.shell("true");
    let Report::Waits(Some(why)) = house.run(&task).await else { panic!() };
    assert!(why.contains("partition") && why.contains("kentai.yaml"), "{why}");
    let error = house.executor.ping().await.expect_err("no such partition").to_string();
    assert!(error.contains("`nowhere`") && error.contains("main"), "{error}");
    // Asked to end meanwhile: it never runs.
    house.executor.stop(&task, Stop::Ask).await.expect("noted");
    let report = house.run(&task).await;
    assert!(matches!(report, Report::NotStarted(Obstacle::Infrastructure, _)), "{report:?}");
    assert!(!task.directory.join("work/ran").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_that_timed_out_and_was_accepted_runs_once() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house();
    let task = house.shell("echo start >> starts");
    cluster.signal("slurmctld", "-STOP");
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        // Slurm's own patience of 10 s has to be over: the submission is in doubt then, and the controller still has it in its queue.
        while !desk_says_begun(&house, &task.attempt) {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
        cluster.signal("slurmctld", "-CONT");
    });
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    assert_eq!(cluster.jobs(&house, &task.attempt), 1, "it was found by its name, and not submitted again");
}

fn desk_says_begun(house: &House, attempt: &str) -> bool {
    house.path(&format!("attempts/.slurm/{attempt}.json")).exists()
}

/// Runs an attempt until it is decided, as the engine does.
async fn to_the_end(house: &House, task: &Task) -> Report {
    loop {
        match house.run(task).await {
            Report::Waits(_) | Report::Unreachable(_) => {}
            report => return report,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_killed_right_after_a_submission_loses_nothing_and_doubles_nothing() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house();
    let task = house.shell(TESTIFY);
    let starts = task.directory.join("work/starts");
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        cluster.job(&house, &task.attempt).await;
        cluster.signal("slurmctld", "-KILL");
        cluster.start_controller();
        // Whether it kept the job is Slurm's affair; if it did not, it kills what it finds, or it is submitted again.
        appeared(&starts).await;
        std::fs::write(task.directory.join("work/go"), "").expect("write");
    });
    // A job that its controller forgot while it ran is lost; it is never called well, and never run twice.
    match report {
        Report::Exited(evidence) => {
            assert!(evidence.record.is_some() || evidence.executor_cause.is_some(), "{evidence:?}")
        }
        Report::Lost(_) | Report::NotStarted(..) => {}
        other => panic!("{other:?}"),
    }
    assert!(lines(&starts) <= 1, "{}", lines(&starts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_that_is_away_decides_nothing() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house();
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        cluster.signal("slurmctld", "-TERM");
        let error = loop {
            if let Err(error) = house.executor.ping().await {
                break error.to_string();
            }
        };
        assert!(error.contains("does not answer"), "{error}");
        std::fs::write(task.directory.join("work/go"), "").expect("write");
        appeared(&task.directory.join("exit.json")).await;
        cluster.start_controller();
    });
    assert_eq!(exited(report).record.expect("a record").exit_code, Some(0));
    assert_eq!((lines(&task.directory.join("work/starts")), cluster.jobs(&house, &task.attempt)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_fails_is_called_so() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house_with(|options| options.arguments = vec!["--nodelist=n2".into()]);
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        cluster.signal("slurmd.n2", "-KILL");
    });
    let Report::Exited(evidence) = report else { panic!("{report:?}") };
    assert_eq!(evidence.executor_cause, Some(Cause::Infrastructure), "{evidence:?}");
    assert!(evidence.executor_error.is_some_and(|words| words.contains("node")), "the node is named");
    // The old processes still run: whatever they write now is nobody's.
    let_go(&task).await;
    cluster.start_node("n2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_makes_room_for_another_is_preempted() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house_with(|options| options.partition = Some("low".into()));
    let mut task = house.shell(TESTIFY);
    task.cpus = 32;
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        for _ in 0..4 {
            cluster.call(
                "sbatch",
                &["--parsable", "-p", "main", "-n1", "-c32", "-o", "/dev/null", "--wrap", "sleep 1000"],
            );
        }
    });
    let Report::Exited(evidence) = report else { panic!("{report:?}") };
    assert_eq!(evidence.executor_cause, Some(Cause::Preempted), "{evidence:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrators_requeue_does_not_run_the_tool_again() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house();
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        let job = cluster.job(&house, &task.attempt).await;
        // Refused as it is submitted; an administrator can allow it, and then nothing holds it back but the marker.
        cluster.call("scontrol", &["update", &format!("JobId={job}"), "Requeue=1"]);
        cluster.call("scontrol", &["requeue", &job]);
        // Slurm waits with the second start for two minutes, unless it is told not to.
        while cluster.call("squeue", &["-h", "-j", &job, "-o", "%T"]) != "PENDING" {
            tokio::task::yield_now().await;
        }
        cluster.call("scontrol", &["update", &format!("JobId={job}"), "StartTime=now"]);
    });
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    match report {
        Report::Lost(_) => {}
        Report::Exited(evidence) => {
            assert!(evidence.record.as_ref().is_none_or(|record| record.stopped), "{evidence:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_forgotten_by_its_controller_is_judged_by_its_record() {
    let Some(cluster) = Cluster::with(&[("SLURM_MIN_JOB_AGE", "2")]) else { return };
    let house = cluster.house();
    let task = house.shell("echo start >> starts");
    let first = exited(house.run(&task).await).record;
    while cluster.jobs(&house, &task.attempt) > 0 {
        tokio::task::yield_now().await;
    }
    let second = exited(house.run(&task).await).record;
    assert_eq!(first, second);
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_controller_has_forgotten_is_asked_of_accounting() {
    let Some(cluster) = Cluster::with(&[("SLURM_MIN_JOB_AGE", "2"), ("SLURM_ACCOUNTING", "yes")]) else { return };
    let house = cluster.house_with(|options| options.accounting = true);
    let task = house.shell("echo here > here; exec sleep 1000");
    let here = task.directory.join("work/here");
    // An engine that is away while somebody cancels the job.
    tokio::select! {
        report = house.run(&task) => panic!("{report:?}"),
        () = appeared(&here) => {}
    }
    cluster.call("scancel", &[&cluster.job(&house, &task.attempt).await]);
    let name = format!("--name=kentai-{}-{}", house.site, task.attempt);
    let accounted = || cluster.call("sacct", &["-n", "-P", "-X", "-S", "now-1hour", &name, "--format=State"]);
    while cluster.jobs(&house, &task.attempt) > 0 || !accounted().starts_with("CANCELLED") {
        tokio::task::yield_now().await;
    }
    // While accounting is away nothing is decided: the record alone would blame the tool for the signal.
    cluster.signal("slurmdbd", "-KILL");
    let away = house.run(&task).await;
    assert!(matches!(&away, Report::Unreachable(words) if words.contains("sacct")), "{away:?}");
    cluster.start_accounting();
    let evidence = exited(to_the_end(&house, &task).await);
    assert_eq!(evidence.executor_cause, Some(Cause::Infrastructure), "{evidence:?}");
    let words = evidence.executor_error.unwrap_or_default();
    assert!(words.contains("canceled from outside"), "{words}");
    // The controller has forgotten it, and never says memory.
    assert_eq!(evidence.granted, Some(Granted { cpus: 1, memory_bytes: Some(task.memory_bytes) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_a_node_does_not_have_is_missing() {
    let Some(cluster) = Cluster::shared() else { return };
    let Some(house) = cluster.podman_house() else { return };
    let mut task = house.shell("true");
    task.image = Some("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into());
    let report = house.run(&task).await;
    assert!(matches!(report, Report::NotStarted(Obstacle::Image, _)), "{report:?}");
    let error = house.executor.resolve("no-such-image:1").await.expect_err("it is not there").to_string();
    assert!(error.contains("no-such-image:1"), "{error}");
    let image = house.image.clone().expect("an image");
    assert_eq!(house.executor.resolve(&image).await.expect("its id"), image);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_is_not_installed_is_said_with_its_remedy() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house();
    let version = house.executor.ping().await.expect("it answers");
    assert!(version.starts_with("slurm"), "{version}");
    let missing = cluster.house_with(|options| {
        options.runtime = Runtime::Singularity;
        options.images = Some("/nowhere".into());
    });
    let hands: Arc<dyn Executor> = missing.executor.clone();
    let error = hands.ping().await.expect_err("it is not installed").to_string();
    assert!(error.contains("singularity") && error.contains("`runtime:`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_over_slurms_own_time_limit_is_called_so() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house();
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        // The witness keeps the step's timeout itself; the cluster's is a net beneath, of a minute at least.
        let job = cluster.job(&house, &task.attempt).await;
        cluster.call("scontrol", &["update", &format!("JobId={job}"), "TimeLimit=1"]);
    });
    let Report::Exited(evidence) = report else { panic!("{report:?}") };
    assert_eq!(evidence.executor_cause, Some(Cause::Timeout), "{evidence:?}");
    assert!(evidence.record.is_none_or(|record| record.stopped), "asked to end, or killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_keeper_at_slurm_dies_is_a_failed_nodes() {
    let Some(cluster) = Cluster::own() else { return };
    let house = cluster.house();
    let task = house.shell(TESTIFY);
    let (report, ()) = tokio::join!(to_the_end(&house, &task), async {
        appeared(&task.directory.join("work/starts")).await;
        // The witness is the job's script: its parent is the step's daemon, of this cluster and no other.
        let witness = witness_of(&task);
        let parent =
            std::process::Command::new("ps").args(["-o", "ppid=", "-p", &witness]).output().expect("ps").stdout;
        let parent = String::from_utf8_lossy(&parent).trim().to_owned();
        let killed = std::process::Command::new("kill").args(["-KILL", &parent]).status();
        assert!(killed.expect("kill").success());
    });
    // What it ran may go on, or die with it; it is never called well.
    match report {
        Report::Exited(evidence) => assert_eq!(evidence.executor_cause, Some(Cause::Infrastructure), "{evidence:?}"),
        Report::Lost(_) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    let_go(&task).await;
}

/// The witness that Slurm has lost ends with its tool, before its directory is taken away: else both go on for ever.
async fn let_go(task: &Task) {
    std::fs::write(task.directory.join("work/go"), "").expect("write");
    let witness = format!("/proc/{}", witness_of(task));
    while std::path::Path::new(&witness).exists() {
        tokio::task::yield_now().await;
    }
}

/// The process that made the start marker.
fn witness_of(task: &Task) -> String {
    let marker = std::fs::read_to_string(task.directory.join("started")).expect("a marker");
    marker.split(' ').next().expect("its process").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_fills_its_disk_is_recorded() {
    let Some(cluster) = Cluster::shared() else { return };
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a small disk is mounted, which takes root");
        return;
    }
    let house = cluster.house();
    let disk = house.path("disk");
    std::fs::create_dir(&disk).expect("made");
    let mount = |args: &[&str]| std::process::Command::new(args[0]).args(&args[1..]).status().expect("mount").success();
    let at = disk.to_str().expect("a path");
    assert!(mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "none", at]));
    let mut task = house.shell("head -c 4000000 /dev/zero > big");
    task.directory = disk.join("attempt");
    let report = house.run(&task).await;
    assert!(mount(&["umount", at]));
    // The record's own space was taken before the tool started.
    let record = exited(report).record.expect("a record");
    assert!(record.exit_code.is_some_and(|code| code != 0), "{record:?}");
}
