//! What only containers can do wrong: crashes between create and start, other containers under our names, memory.

use kentai_engine::port::executor::{Error, Executor, Obstacle, Report, Task};
use kentai_executors::docker::{DockerExecutor, Options};

use crate::support::docker::{IMAGE, docker, house, image, options};
use crate::support::house::{House, WITNESS, appeared, exited, lines};

/// What an engine leaves that dies between create and start: the directory, the task file, the container.
fn created_by_hand(house: &House, task: &Task, digest: &str) -> String {
    let work = task.directory.join("work");
    std::fs::create_dir_all(&work).expect("made");
    let file = serde_json::json!({
        "attempt": task.attempt, "nonce": task.nonce, "digest": task.digest, "argv": task.argv, "env": task.env,
        "timeout_s": 0, "grace_s": 1, "log_bytes_max": 1000, "own_cgroup": true, "umask": 18,
    });
    std::fs::write(task.directory.join("task.json"), file.to_string()).expect("write");
    let name = format!("kentai-{}-{}", house.site, task.attempt);
    let site = format!("kentai.site={}", house.site);
    let attempt = format!("kentai.attempt={}", task.attempt);
    let digest = format!("kentai.task={digest}");
    let directory = format!("{}:/kentai", task.directory.display());
    let witness = format!("{WITNESS}:/.kentai-witness:ro");
    docker(&[
        "create",
        "--name",
        &name,
        "--label",
        &site,
        "--label",
        &attempt,
        "--label",
        &digest,
        "--volume",
        &directory,
        "--volume",
        &witness,
        "--network",
        "none",
        "--entrypoint",
        "/.kentai-witness",
        IMAGE,
        "witness",
        "/kentai",
    ]);
    name
}

#[tokio::test]
async fn a_container_created_before_a_crash_is_started_once() {
    let Some(house) = house() else { return };
    let task = house.shell("echo start >> starts");
    created_by_hand(&house, &task, &task.digest);
    for _ in 0..2 {
        let record = exited(house.run(&task).await).record.expect("a record");
        assert_eq!(record.exit_code, Some(0));
    }
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

#[tokio::test]
async fn a_container_that_was_started_again_by_hand_does_not_run_its_tool_again() {
    let Some(house) = house() else { return };
    let task = house.shell("echo start >> starts; exit 5");
    let first = exited(house.run(&task).await);
    docker(&["start", &format!("kentai-{}-{}", house.site, task.attempt)]);
    let second = exited(house.run(&task).await);
    assert_eq!(first.record, second.record);
    assert_eq!((first.executor_exit_code, second.executor_exit_code), (Some(5), None));
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

#[tokio::test]
async fn an_attempt_whose_container_was_removed_is_not_started_again() {
    let Some(house) = house() else { return };
    let task = house.shell("echo start >> starts");
    let first = exited(house.run(&task).await);
    house.executor.forget(&task.attempt).await.expect("forgotten");
    assert_eq!(exited(house.run(&task).await).record, first.record);
    assert_eq!(lines(&task.directory.join("work/starts")), 1);
}

#[tokio::test]
async fn a_container_of_another_task_is_put_in_quarantine_and_left_alone() {
    let Some(house) = house() else { return };
    let task = house.shell("echo start >> starts");
    created_by_hand(&house, &task, "another");
    let report = house.run(&task).await;
    assert!(matches!(report, Report::Quarantine(_)), "{report:?}");
    assert!(!task.directory.join("started").exists());
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

#[tokio::test]
async fn a_container_removed_by_force_is_lost() {
    let Some(house) = house() else { return };
    let task = house.shell("echo here > here; sleep 1000");
    let (report, ()) = tokio::join!(house.run(&task), async {
        appeared(&task.directory.join("work/here")).await;
        let name = format!("kentai-{}-{}", house.site, task.attempt);
        tokio::task::spawn_blocking(move || docker(&["rm", "--force", &name])).await.expect("removed");
    });
    let without_record = matches!(&report, Report::Exited(evidence) if evidence.record.is_none());
    assert!(without_record || matches!(report, Report::Lost(_)), "{report:?}");
    let again = house.run(&task).await;
    assert!(matches!(again, Report::Lost(_)), "{again:?}");
}

#[tokio::test]
async fn a_kill_for_memory_behind_an_exit_code_of_zero_is_seen() {
    let Some(house) = house() else { return };
    let mut task = house.shell("tail /dev/zero | cat > /dev/null; exit 0");
    task.memory_bytes = 32 << 20;
    let evidence = exited(house.run(&task).await);
    let record = evidence.record.expect("a record");
    assert_eq!((record.exit_code, evidence.executor_exit_code), (Some(0), Some(0)));
    assert!(evidence.oom_killed && record.oom_kills > 0, "{record:?}");
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

#[tokio::test]
async fn a_missing_image_is_told_from_other_trouble() {
    let Some(house) = house() else { return };
    let mut task = house.shell("true");
    task.image = Some(format!("sha256:{}", "0".repeat(64)));
    let report = house.run(&task).await;
    assert!(matches!(report, Report::NotStarted(Obstacle::Image, _)), "{report:?}");
    let missing = house.executor.resolve(task.image.as_deref().expect("one")).await;
    assert!(matches!(missing, Err(Error::Image { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_missing_input_is_an_infrastructure_failure_before_the_start() {
    let Some(house) = house() else { return };
    let mut task = house.shell("true");
    let mount = kentai_engine::port::executor::Mount { source: house.path("nowhere"), target: "x/y".into() };
    task.mounts = vec![mount];
    let report = house.run(&task).await;
    assert!(matches!(report, Report::NotStarted(Obstacle::Infrastructure, _)), "{report:?}");
    assert!(!house.path("nowhere").exists());
}

#[tokio::test]
async fn an_image_resolves_to_its_id_and_an_id_to_itself() {
    let Some(house) = house() else { return };
    let id = image();
    assert_eq!(house.executor.resolve(IMAGE).await.expect("resolved"), id);
    assert_eq!(house.executor.resolve(id).await.expect("resolved"), id);
    assert!(house.executor.ping().await.expect("a version").starts_with("Docker "));
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_unreachable_and_nothing_is_decided() {
    let Some(house) = house() else { return };
    let socket = house.path("no.sock");
    let executor = DockerExecutor::new(Options { socket, ..options(&house.site) }).expect("an executor");
    let report = executor.run(&house.shell("true")).await;
    assert!(matches!(report, Report::Unreachable(_)), "{report:?}");
}
