//! What Slurm is told and what it is not, against one whose answers are written here: names, words and settings.

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::port::executor::{Error, Executor, Report, Stop};
use kentai_executors::slurm::{Call, Commands, Options, Programs, Runtime, SlurmExecutor};

use crate::support::house::{House, exited};
use crate::support::slurm::options;
use crate::support::told::{Told, failed, hands, job, line, printed, runs, setting, to_the_end};

#[tokio::test]
async fn a_job_is_ended_by_its_name_and_never_by_its_number() {
    let (house, task, name) = setting();
    let shown = name.clone();
    let told = Told::new(move |call, _| match call.program {
        "squeue" => printed(&line(7, "RUNNING", &shown)),
        "scancel" => printed(""),
        other => panic!("{other}"),
    });
    let hands = hands(&house, &told, |_| {});
    assert_eq!(hands.held().await.expect("a list").len(), 1);
    for how in [Stop::Ask, Stop::Kill] {
        hands.stop(&task, how).await.expect("asked");
    }
    let calls = told.calls("scancel");
    assert_eq!(calls.len(), 4, "running, waiting and suspended ones are asked; all are killed");
    for word in ["--batch", "--signal=TERM", "--state=RUNNING"] {
        assert!(
            calls[0].iter().any(|other| other == word),
            "the witness alone is asked, and keeps the grace: {calls:?}"
        );
    }
    for call in calls {
        assert!(call.contains(&format!("--name={name}")), "{call:?}");
        assert!(call.iter().any(|word| word.starts_with("--user=")), "{call:?}");
        assert!(call.iter().all(|word| word.starts_with("--")), "a word without an option is a number: {call:?}");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_said_to_hold_nothing() {
    let house = House::process();
    let told = Told::new(|call, _| match call.program {
        "squeue" => failed("slurm_load_jobs error: Unable to contact slurm controller (connect failure)"),
        other => panic!("{other}"),
    });
    let held = hands(&house, &told, |_| {}).held().await;
    assert!(matches!(held, Err(Error::Unreachable { .. })), "{held:?}");
}

#[tokio::test]
async fn a_name_that_slurm_would_split_names_no_job() {
    let (house, mut task, _) = setting();
    let told = Told::new(|call, _| panic!("{call:?}"));
    for name in ["a,b", "a b", "", "../a", "a\nb", "検体"] {
        task.attempt = name.into();
        let report = hands(&house, &told, |_| {}).run(&task).await;
        assert!(matches!(report, Report::Quarantine(_)), "{name:?}: {report:?}");
    }
}

#[test]
fn settings_that_the_center_cannot_mean_are_refused_with_their_reason() {
    type Change = fn(&mut Options);
    let house = House::process();
    let new = |change: Change| {
        let told = Told::new(|call, _| panic!("{call:?}"));
        let mut options = options(&house.site, house.directory.path());
        change(&mut options);
        SlurmExecutor::new(options, Arc::new(told)).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(new(|_| {}), Ok(()));
    assert_eq!(new(|options| options.modules = vec!["apptainer/1.3.4".into(), "gcc+mpi_5-a".into()]), Ok(()));
    assert_eq!(new(|options| options.arguments = vec!["--hold".into(), "--exclude=n1,n2".into()]), Ok(()));
    let refused: [(Change, &str); 20] = [
        (|options| options.site = "a,b".into(), "a,b"),
        (|options| options.site = String::new(), "name jobs"),
        (|options| options.modules = vec!["a; rm -rf /".into()], "its name is not plain"),
        (|options| options.modules = vec!["$(id)".into()], "its name is not plain"),
        (|options| options.modules = vec!["-f".into()], "its name is not plain"),
        (|options| options.modules = vec![String::new()], "its name is not plain"),
        (|options| options.user.0 = 0, "root"),
        (|options| options.user.1 = 0, "root"),
        (|options| options.runtime = Runtime::Apptainer, "images:"),
        (|options| options.arguments = vec!["script.sh".into()], "script.sh"),
        (|options| options.arguments = vec!["-Jname".into()], "-Jname"),
        (|options| options.arguments = vec!["--job-name=mine".into()], "--job-name=mine"),
        (|options| options.arguments = vec!["--requeue".into()], "--requeue"),
        (|options| options.arguments = vec!["--export=NONE".into()], "--export"),
        (|options| options.arguments = vec!["--array=1-9".into()], "--array"),
        (|options| options.arguments = vec!["--wrap=id".into()], "--wrap"),
        (|options| options.arguments = vec!["--output=/dev/null".into()], "--output"),
        (|options| options.arguments = vec!["--mem=1G".into()], "--mem"),
        (|options| options.arguments = vec!["--time=1".into()], "--time"),
        (|options| options.arguments = vec!["--nodes=2".into()], "--nodes"),
    ];
    for (change, word) in refused {
        let said = new(change).expect_err(word);
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn a_job_is_asked_for_in_words_that_no_pattern_and_no_requeue_can_change() {
    let house = House::process();
    let mut task = house.shell("true");
    task.directory = house.path("attempts/50%j").join(&task.attempt);
    (task.cpus, task.memory_bytes, task.timeout_s, task.grace_s) = (3, (1 << 20) + 1, 61, 10);
    std::fs::create_dir_all(house.path("attempts/50%j")).expect("made");
    let (of, name) = (task.clone(), job(&house, &task));
    let told = Told::new(move |call, _| match call.program {
        "sbatch" => printed("7\n"),
        "squeue" => runs(&of, &name),
        other => panic!("{other}"),
    });
    exited(to_the_end(&hands(&house, &told, |_| {}), &task).await);
    let words = told.calls("sbatch").remove(0);
    let output = format!("--output={}", task.directory.join("slurm.log").display()).replace('%', "%%");
    for wanted in ["--no-requeue", "--nodes=1", "--ntasks=1", "--cpus-per-task=3", "--mem=1025K", "--time=4", &output] {
        assert!(words.iter().any(|word| word == wanted), "{wanted}: {words:?}");
    }
    assert!(!words.iter().any(|word| word.contains("true")), "the tool's command is no word of sbatch: {words:?}");
}

#[tokio::test]
async fn the_programs_of_slurm_see_nothing_of_who_started_the_engine() {
    // What started this test set variables of its own: SBATCH_PARTITION would come in the same way.
    assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO")), "nothing to keep away");
    let programs = Programs {
        directory: Some("/usr/bin".into()),
        environment: [("SLURM_CONF".to_owned(), "/etc/center.conf".to_owned())].into(),
    };
    let call = Call { program: "env", args: Vec::new(), patience: Duration::from_secs(60) };
    let said = programs.call(call).await.expect("called");
    let known = ["PATH", "HOME", "USER", "LOGNAME", "SLURM_CONF", "LC_ALL", "TZ", "SLURM_TIME_FORMAT"];
    for line in said.out.lines() {
        let (name, _) = line.split_once('=').expect("a variable");
        assert!(known.contains(&name), "{line}");
    }
    assert!(said.out.lines().any(|line| line == "SLURM_CONF=/etc/center.conf"), "{}", said.out);
}
