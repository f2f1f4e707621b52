//! What the collector takes in, what it refuses, and that a collection cut anywhere can be repeated.

use std::path::{Path, PathBuf};

use kentai_engine::port::collect::{Collected, Expected, Made, Order, Refused};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_executors::collect::Collector;

struct Site {
    directory: tempfile::TempDir,
    store: ArtifactStore,
    collector: Collector,
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let collector = Collector::new(store.clone());
        Self { directory, store, collector }
    }

    fn attempt(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let attempt = self.directory.path().join("attempts").join(name);
        std::fs::create_dir_all(attempt.join("work")).expect("made");
        std::fs::create_dir_all(attempt.join("in/r1")).expect("made");
        for (path, text) in files {
            let path = attempt.join(path);
            std::fs::create_dir_all(path.parent().expect("one")).expect("made");
            std::fs::write(path, text).expect("write");
        }
        attempt
    }

    fn order(&self, name: &str, outputs: &[Expected]) -> Order {
        Order {
            attempt: name.into(),
            directory: self.directory.path().join("attempts").join(name),
            log: self.directory.path().join("runs/r/logs").join(name).with_extension("log"),
            outputs: Some(outputs.to_vec()),
        }
    }

    fn collect(&self, order: &Order) -> Collected {
        self.collector.collect(vec![order.clone()]).remove(0)
    }

    fn refused(&self, order: &Order) -> String {
        match self.collect(order).outcome {
            Err(Refused::Bad { reason, .. }) => reason,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn text(&self, made: &Made) -> String {
        std::fs::read_to_string(self.store.path_of(&made.sha256, false)).expect("in the store")
    }
}

fn expected(path: &str) -> Expected {
    Expected { name: "out".into(), path: path.into(), glob: false, dir: false, optional: false, format: None }
}

fn made(collected: &Collected) -> &[Made] {
    collected.outcome.as_ref().expect("taken in")
}

#[test]
fn outputs_and_log_are_taken_in_and_leftovers_are_cleared() {
    let site = Site::new();
    let attempt = site.attempt(
        "a",
        &[
            ("work/x.txt", "x\n"),
            ("work/sort/0001", "x"),
            ("secrets/key", "x"),
            ("tool.log", "said\n"),
            ("exit.json", "{}"),
        ],
    );
    let order = site.order("a", &[expected("x.txt")]);
    let collected = site.collect(&order);
    let made = made(&collected);
    assert_eq!((made[0].name.as_str(), made[0].size, made[0].list), ("x.txt", 2, false));
    assert_eq!(site.text(&made[0]), "x\n");
    assert_eq!(collected.log_bytes, 5);
    assert_eq!(std::fs::read_to_string(&order.log).expect("kept"), "said\n");
    assert!(!attempt.join("work/sort").exists() && !attempt.join("secrets").exists(), "intermediates go");
    assert!(attempt.join("exit.json").exists(), "the evidence stays");
    assert!(site.store.path_of(&made[0].sha256, false).metadata().expect("there").permissions().readonly());
}

#[test]
fn a_failed_attempt_gives_its_log_and_keeps_its_work() {
    let site = Site::new();
    let attempt = site.attempt("a", &[("work/half.txt", "x"), ("tool.log", "error\n")]);
    let order = Order { outputs: None, ..site.order("a", &[]) };
    let collected = site.collect(&order);
    assert_eq!((made(&collected).len(), collected.log_bytes), (0, 6));
    assert!(attempt.join("work/half.txt").exists());
    assert_eq!(site.collect(&order).log_bytes, 6, "asked again, the same");
}

#[test]
fn an_empty_log_is_dropped() {
    let site = Site::new();
    site.attempt("a", &[("work/x.txt", "x"), ("tool.log", "")]);
    let order = site.order("a", &[expected("x.txt")]);
    assert_eq!(site.collect(&order).log_bytes, 0);
    assert!(!order.log.exists());
}

#[test]
fn a_collection_can_be_repeated_after_it_was_done() {
    let site = Site::new();
    site.attempt("a", &[("work/x.txt", "x"), ("work/d/y", "y")]);
    let tree = Expected { name: "tree".into(), dir: true, ..expected("d") };
    let order = site.order("a", &[expected("x.txt"), tree]);
    let first = made(&site.collect(&order)).to_vec();
    assert_eq!(made(&site.collect(&order)), first);
    let later = Collector::new(site.store.clone());
    assert_eq!(made(&later.collect(vec![order])[0]), first, "a new engine finds the note as well");
}

#[test]
fn a_collection_cut_between_two_renames_is_finished_by_the_next() {
    let site = Site::new();
    let attempt = site.attempt("a", &[("work/x.txt", "x"), ("work/y.txt", "y")]);
    let order = site.order("a", &[expected("x.txt"), Expected { name: "other".into(), ..expected("y.txt") }]);
    let first = made(&site.collect(&order)).to_vec();
    // As if the second rename had not happened yet: its file is back in its place.
    std::fs::create_dir_all(attempt.join("work")).expect("made");
    std::fs::rename(site.store.path_of(&first[1].sha256, false), attempt.join("work/y.txt")).expect("moved back");
    assert_eq!(made(&site.collect(&order)), first);
    assert_eq!(site.text(&first[1]), "y");
}

#[test]
fn a_note_is_not_believed_when_its_artifacts_are_nowhere() {
    let site = Site::new();
    site.attempt("a", &[("work/d/x.txt", "x")]);
    let order = site.order("a", &[Expected { dir: true, ..expected("d") }]);
    let first = made(&site.collect(&order)).to_vec();
    kentai_engine::store::artifact::remove_all(&site.store.path_of(&first[0].sha256, true));
    assert!(site.refused(&order).contains("missing"));
}

#[test]
fn two_attempts_with_the_same_bytes_share_one_artifact() {
    let site = Site::new();
    let names = ["a", "b", "c"];
    let orders: Vec<Order> = names
        .map(|name| {
            site.attempt(name, &[("work/x.txt", "same")]);
            site.order(name, &[expected("x.txt")])
        })
        .into();
    let collected = site.collector.collect(orders);
    assert_eq!(collected.len(), 3);
    assert!(collected.iter().all(|one| made(one) == made(&collected[0])));
}

#[test]
fn one_bad_order_of_a_large_batch_does_not_hold_up_the_others() {
    let site = Site::new();
    let orders: Vec<Order> = (0..300)
        .map(|number| {
            let name = format!("a{number}");
            let text = format!("text {number}");
            site.attempt(
                &name,
                &[(if number == 7 { "work/other.txt" } else { "work/x.txt" }, text.as_str()), ("tool.log", "l")],
            );
            site.order(&name, &[expected("x.txt")])
        })
        .collect();
    let collected = site.collector.collect(orders);
    for (number, one) in collected.iter().enumerate() {
        assert_eq!(one.attempt, format!("a{number}"));
        assert_eq!(one.outcome.is_ok(), number != 7, "{number}: {:?}", one.outcome);
        assert_eq!(one.log_bytes, 1);
    }
}

#[test]
fn a_pattern_gives_a_sorted_list_and_an_optional_output_may_be_absent() {
    let site = Site::new();
    site.attempt("a", &[("work/p/b.txt", "b"), ("work/p/a.txt", "a"), ("work/p/a.log", "l")]);
    let list = Expected { glob: true, ..expected("p/*.txt") };
    let absent = Expected { name: "absent".into(), optional: true, ..expected("none.txt") };
    let none = Expected { name: "none".into(), optional: true, glob: true, ..expected("q/*") };
    let collected = site.collect(&site.order("a", &[list, absent, none]));
    let found: Vec<_> = made(&collected).iter().map(|made| (made.index, made.list, made.name.as_str())).collect();
    assert_eq!(found, [(0, true, "a.txt"), (1, true, "b.txt")]);
}

#[test]
fn a_directory_is_one_artifact_whose_manifest_checks_it() {
    let site = Site::new();
    site.attempt("a", &[("work/d/y/2", "two"), ("work/d/1", "one")]);
    let collected = site.collect(&site.order("a", &[Expected { dir: true, ..expected("d") }]));
    let made = &made(&collected)[0];
    assert_eq!((made.dir, made.size), (true, 6));
    let tree = site.store.path_of(&made.sha256, true);
    let manifest = site.store.path_of(&made.sha256, false);
    let checked = std::process::Command::new("sha256sum").arg("-c").arg(manifest).current_dir(tree).output();
    assert!(checked.expect("sha256sum").status.success());
}

#[test]
fn what_is_not_a_whole_plain_file_of_its_own_is_refused() {
    let site = Site::new();
    let outside = site.directory.path().join("secret");
    std::fs::write(&outside, "secret").expect("write");
    let attempt = site.attempt("a", &[("work/empty", ""), ("work/real/x", "x"), ("work/twin", "t")]);
    let work = attempt.join("work");
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, work.join(name)).expect("link");
    link(&outside, "link");
    link(Path::new("real"), "behind");
    link(Path::new("nowhere"), "dangling");
    std::fs::hard_link(work.join("twin"), work.join("twin2")).expect("link");
    rustix::fs::mknodat(rustix::fs::CWD, work.join("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .expect("pipe");
    for (path, reason) in [
        ("missing", "missing"),
        ("empty", "empty"),
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("behind/x", "symbolic link"),
        ("twin", "hard link"),
        ("pipe", "not a plain file"),
        ("real", "not a plain file"),
        ("../../../secret", "leads out"),
        ("/etc/passwd", "leads out"),
    ] {
        let said = site.refused(&site.order("a", &[expected(path)]));
        assert!(said.contains(reason), "{path}: {said}");
    }
    let tree = Expected { dir: true, ..expected(".") };
    assert!(site.refused(&site.order("a", &[tree])).contains("path is empty"));
    link(&outside, "real/inside");
    let tree = Expected { dir: true, ..expected("real") };
    assert!(site.refused(&site.order("a", &[tree])).contains("symbolic link"));
    assert!(work.join("twin").exists(), "refused work stays for people to see");
    assert_eq!(std::fs::read_to_string(outside).expect("untouched"), "secret");
}

#[test]
fn a_work_directory_that_was_replaced_by_a_link_is_not_followed() {
    let site = Site::new();
    let attempt = site.attempt("a", &[("elsewhere/x.txt", "x")]);
    std::fs::remove_dir(attempt.join("work")).expect("removed");
    std::os::unix::fs::symlink("elsewhere", attempt.join("work")).expect("link");
    let said = site.refused(&site.order("a", &[expected("x.txt")]));
    assert!(said.contains("work"), "{said}");
}

#[test]
fn a_declared_format_is_checked() {
    let site = Site::new();
    site.attempt("a", &[("work/x.json", "{\"a\": 1"), ("work/y.json", "{\"a\": 1}")]);
    let json = |path: &str| Expected { format: Some("json".into()), ..expected(path) };
    assert!(site.refused(&site.order("a", &[json("x.json")])).contains("not a whole json file"));
    assert_eq!(made(&site.collect(&site.order("a", &[json("y.json")]))).len(), 1);
}

#[test]
fn what_is_not_what_its_job_listed_is_refused() {
    let site = Site::new();
    // As coreutils say: printf 'whole\n' | sha256sum
    let sum = "3661291e28107bb940142d346bdb3a86da68415ae7fe451374d403c6037b9fa5";
    for (case, name, listed, taken) in [
        ("as it was", "a-1", format!(r#"{{"files":{{"o.txt":{{"size":6,"sha256":"{sum}"}}}}}}"#), true),
        ("not listed", "a-2", r#"{"files":{}}"#.to_owned(), true),
        ("other bytes", "a-3", format!(r#"{{"files":{{"o.txt":{{"size":6,"sha256":"{}"}}}}}}"#, "0".repeat(64)), false),
        ("another size", "a-4", format!(r#"{{"files":{{"o.txt":{{"size":7,"sha256":"{sum}"}}}}}}"#), false),
    ] {
        site.attempt(name, &[("work/o.txt", "whole\n"), ("outputs.json", &listed)]);
        let order = site.order(name, &[expected("o.txt")]);
        if taken {
            assert_eq!(site.text(&made(&site.collect(&order))[0]), "whole\n", "{case}");
        } else {
            let reason = site.refused(&order);
            assert!(reason.contains("is not here what its job left there"), "{case}: {reason}");
        }
    }
}
