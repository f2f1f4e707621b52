//! Sites: made, looked at, refused.

use std::os::unix::fs::PermissionsExt as _;

use super::house::House;

#[test]
fn a_site_is_made_once() {
    let house = House::new();
    house.kentai("init lab --name tokyo-1").code(0).says(&["tokyo-1", "next: kentai --site lab doctor"]);
    house.kentai("init lab --name other").code(6).says(&["is there already", "not changed"]);
    let file = house.path("lab/kentai.yaml");
    let text = std::fs::read_to_string(&file).expect("there");
    assert!(text.contains("site: \"tokyo-1\"") && text.contains("# IANA zone"), "{text}");
    let mode = |path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(house.path("lab")), mode(file), mode(house.path("lab/run"))), (0o700, 0o600, 0o700));
    house.kentai("--site lab config show").code(0).shows(&["tokyo-1"]);
    house.run(&["init", "other", "--name", "Not a name"]).code(2);
    assert!(!house.path("other").exists());
}

#[test]
fn every_setting_says_where_it_came_from() {
    let house =
        House::with_site("time_zone: Asia/Tokyo\npeople: [ { user: root, name: ops-01, roles: [operator] } ]\n");
    house.kentai("config show").code(0).shows(&[
        "time_zone",
        "Asia/Tokyo",
        "kentai.yaml",
        "default",
        "people[0].name",
        "ops-01",
    ]);
    let output =
        house.command().args(["config", "show", "--json"]).env("KENTAI_LIMITS_CPUS", "3").output().expect("run");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&shown["config"]["limits"]["cpus"], &shown["origin"]["limits.cpus"]),
        (&3.into(), &"KENTAI_LIMITS_CPUS".into())
    );
    assert_eq!(shown["origin"]["targets"], "default");
}

#[test]
fn a_bad_site_file_is_refused_with_its_place() {
    let house = House::with_site("limits:\n  cpu: 3\n");
    house.kentai("status").code(3).says(&["kentai.yaml", "cpu", "line 2"]);
    house.kentai("doctor").code(1).shows(&["site file", "FAIL", "cpu"]);
    house.write(".kentai/kentai.yaml", "tasks: { uid: 0 }\n");
    house.kentai("status").code(3).says(&["never run as user"]);
    house.write(".kentai/kentai.yaml", "");
    let output = house.command().args(["status"]).env("KENTAI_LIMITS_CPUS", "many").output().expect("run");
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn a_site_that_is_not_there_is_not_found() {
    let house = House::new();
    house.kentai("status").code(4).says(&["there is no site", "kentai init"]);
    house.kentai("--site elsewhere serve").code(4).says(&["elsewhere"]);
    house.kentai("doctor").code(1).shows(&["site", "FAIL", "kentai init"]);
}

#[test]
fn a_new_site_has_empty_lists() {
    let house = House::with_site("");
    house.kentai("status").code(0).says(&["no runs"]);
    assert_eq!(house.kentai("status --json").code(0).json()["items"], serde_json::json!([]));
    assert_eq!(house.kentai("specimen list --json").code(0).json()["items"], serde_json::json!([]));
    assert_eq!(house.kentai("handoff list --json").code(0).json()["items"], serde_json::json!([]));
    assert_eq!(house.kentai("qc list --json").code(0).json(), serde_json::json!([]));
    assert_eq!(house.kentai("reference list --json").code(0).json(), serde_json::json!([]));
    house.kentai("specimen show S1").code(4);
    house.kentai("handoff show d1").code(4);
    house.kentai("why r1").code(4);
    house.kentai("reference show GRCh38@1").code(4);
    house.kentai("reference verify ../..@1").code(4);
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_helps() {
    let house = House::with_site(
        "executors: [ { name: here, kind: process }, { name: box, kind: docker, socket: /nowhere/docker.sock } ]\ntargets: { archive: { kind: directory, path: nowhere } }\nplaces: { x: { path: /x } }\n",
    );
    let done = house.kentai("doctor").code(0);
    let done =
        done.shows(&["this program", "static", "executor here", "executor box", "warn", "start the Docker engine"]);
    done.shows(&[
        "target archive",
        "is not there",
        "without effect in this version: places that no executor shares",
        "inodes",
        "clock",
    ]);
    let lines = house.kentai("doctor --json").code(0).json();
    assert!(lines.as_array().is_some_and(|lines| lines.iter().all(|line| line["status"].is_string())), "{lines}");
    house.write(".kentai/kentai.yaml", "executors: [ { name: box, kind: docker, socket: /nowhere/docker.sock } ]\n");
    house.kentai("doctor").code(1).shows(&["FAIL"]);
}

#[test]
fn a_cluster_out_of_reach_is_said_by_the_doctor_and_by_check_with_what_helps() {
    let cluster = "{ name: hpc, kind: slurm, shared: work, commands: /nowhere }";
    let house = House::with_site(&format!("executors: [ {cluster} ]\nplaces: {{ work: {{ path: . }} }}\n"));
    let help = ["executor", "hpc", "scontrol cannot be called", "`commands:`"];
    house.kentai("doctor").code(1).shows(&help);
    house.write("plain.yaml", "kentai: 1\nworkflow: plain\nsteps:\n  a: { script: \"true\" }\n");
    house.kentai("workflow check plain.yaml").code(0).says(&help);
    // What nodes do not see is no place to work.
    house.write(".kentai/kentai.yaml", format!("executors: [ {cluster} ]\nplaces: {{ work: {{ path: /usr }} }}\n"));
    house.kentai("doctor").code(1).shows(&["does not lie in the place `work`", "move the site there"]);
    house.write(".kentai/kentai.yaml", format!("executors: [ {cluster} ]\n"));
    house.kentai("doctor").code(1).shows(&["there is no such place", "`places:`"]);
}

#[test]
fn executors_are_listed_asked_drained_and_resumed() {
    let house = House::with_site(
        "executors: [ { name: here, kind: process, caps: { steps: 2, memory: 4 GiB } }, \
         { name: box, kind: docker, socket: /nowhere/docker.sock, labels: [large], only_labelled: true } ]\n",
    );
    house.kentai("admin executor list").code(0).shows(&["here", "2 steps, 4 GiB", "box", "large (only)"]);
    house.kentai("admin executor ping").code(7).shows(&["here", "answers", "box", "does not answer"]);
    house.kentai("admin executor ping here").code(0);
    house.kentai("admin executor drain here").code(2).says(&["--reason"]);
    house.run(&["admin", "executor", "drain", "here", "--reason", " "]).code(2).says(&["reason"]);
    house.run(&["admin", "executor", "drain", "hpc", "--reason", "x"]).code(4).says(&["it has here, box"]);
    house
        .run(&["admin", "executor", "drain", "here", "--reason", "new disks"])
        .code(0)
        .shows(&["what it runs goes on"]);
    house.kentai("admin executor list").code(0).shows(&["drained by", "new disks"]);
    let listed = house.kentai("admin executor list --json").code(0).json();
    assert_eq!(listed["items"][0]["drained_because"], "new disks", "{listed}");
    house.kentai("admin executor resume here").code(0);
    house.kentai("admin executor resume here").code(6).says(&["is not drained"]);
}

#[test]
fn a_workflow_is_held_against_all_executors_of_the_site() {
    let house = House::with_site(
        "limits: { cpus: 2 }\nexecutors: [ { name: here, kind: process }, { name: big, kind: process, labels: [large] } ]\n",
    );
    let workflow = |resources: &str| {
        house.write(
            "w.yaml",
            format!("kentai: 1\nworkflow: w\nsteps:\n  a: {{ script: \"true\", resources: {{ {resources} }} }}\n"),
        );
    };
    workflow("cpus: 2, labels: [large]");
    house.kentai("check w.yaml").code(0);
    workflow("cpus: 3");
    house.kentai("check w.yaml").code(3).says(&["K052", "here 2, big 2"]);
    workflow("labels: [larg]");
    house.kentai("check w.yaml").code(3).says(&["K056", "larg", "it has: large"]);
}

#[test]
fn a_docker_that_does_not_answer_is_unreachable_and_nothing_is_lost() {
    let house = House::with_site("executors: [ { name: box, kind: docker, socket: /nowhere/docker.sock } ]\n");
    house.kentai("run hello --sheet one.csv").code(7).says(&["box", "cannot be reached"]);
    house.kentai("reference add a@1 a.txt").code(7);
    house.kentai("demo").code(7).says(&["kentai demo --executor process"]);
    assert_eq!(house.kentai("status --json").code(0).json()["items"], serde_json::json!([]));
}

#[test]
fn a_reference_has_a_name_a_version_and_a_file() {
    let house = House::with_site("");
    for name in ["GRCh38", "a@", "@1", "../x@1", "a b@1", "a@1/2", "-rf@1", "$(id)@1"] {
        house.run(&["reference", "add", "--executor", "process", "--", name, "a.txt"]).code(2).says(&["NAME@VERSION"]);
    }
    house.kentai("reference add a@1 nothing.fa --executor process").code(4).says(&["nothing.fa"]);
    house.kentai("reference add a@1 a.txt --known-sites nothing.vcf --executor process").code(4).says(&["nothing.vcf"]);
    std::fs::create_dir_all(house.path(".kentai/references/a@1")).expect("made");
    house.kentai("reference add a@1 a.txt --executor process").code(6).says(&["a@1", "never changed"]);
}

#[test]
fn a_bundle_with_a_wrong_file_is_found_out() {
    let house = House::with_site("");
    let directory = house.path(".kentai/references/a@1");
    std::fs::create_dir_all(&directory).expect("made");
    std::fs::write(directory.join("a.fa"), "a\n").expect("written");
    let bundle = |sha256: &str| {
        let file = serde_json::json!({ "name": "a.fa", "role": "fasta", "size": 2, "sha256": sha256 });
        serde_json::json!({ "name": "a", "version": "1", "files": [file] }).to_string()
    };
    std::fs::write(directory.join("bundle.json"), bundle(&"0".repeat(64))).expect("written");
    house.kentai("reference verify").code(3).shows(&["a@1/a.fa: WRONG"]);
    let right = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";
    std::fs::write(directory.join("bundle.json"), bundle(right)).expect("written");
    house.kentai("reference verify a@1").code(0).shows(&["a@1/a.fa: ok"]);
    house.kentai("reference show a@1").code(0).shows(&["a.fa", "fasta", right]);
    std::fs::remove_file(directory.join("a.fa")).expect("removed");
    assert_eq!(house.kentai("reference verify --json").code(3).json()[0]["ok"], false);
}

#[test]
fn no_engine_starts_with_a_secret_that_others_can_read_and_nobody_needs_it_to_look() {
    let notices = "notices: { biobank: [ { kind: webhook, url: \"https://hooks.example/\", secrets: [hook] } ] }\n";
    let house = House::with_site(&format!("{notices}secrets: {{ hook: {{ file: hook }} }}\n"));
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    house.write(".kentai/hook", secret);
    let file = house.path(".kentai/hook");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("ours");
    mode(0o644);
    house.kentai("serve").code(3).says(&["notices.biobank", "`hook`", "chmod 600"]);
    house.kentai("doctor").shows(&["secret hook", "chmod 600"]);
    // What needs no engine of its own reads no secret.
    house.kentai("notice list").code(0).says(&["no notice"]);
    house.kentai("notice test biobank").code(0).shows(&["is on its way"]);
    house.kentai("notice list").code(0).shows(&["sending", "biobank", "1 due"]);
    house.kentai("notice test elsewhere").code(2).says(&["notices:", "elsewhere"]);
    mode(0o600);
    house.kentai("doctor").shows(&["can be read, and by nobody else"]);
    std::fs::write(&file, "whsec_no").expect("written");
    house.kentai("serve").code(3).says(&["secret `hook`", "base64"]);
    std::fs::remove_file(&file).expect("there");
    house.kentai("serve").code(3).says(&["read secret `hook`"]);
}
