//! Runs to the end over plain processes, and what is told about them.

use super::house::House;

#[test]
fn a_run_ends_well_and_the_same_again_has_nothing_to_do() {
    let house = House::new();
    house.kentai("run count.yaml --sheet sheet.csv --executor process").code(0).says(&["2 run(s)", "2 succeeded"]);
    let again = house.kentai("run count.yaml --sheet sheet.csv --executor process").code(0);
    again.says(&["was made before", "nothing to do"]);
    house.kentai("status").code(0).shows(&["S1", "S2", "succeeded", "1/1", "updated (UTC)"]);
    let page = house.kentai("status --json --limit 1").code(0).json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert!(page["next"].is_string());
    let run = house.run_of("S1");
    let detail = house.run(&["status", &run[..20], "--json"]);
    let detail = if detail.code == 6 { house.run(&["status", &run, "--json"]) } else { detail }.code(0).json();
    assert_eq!((&detail["run"]["status"], &detail["steps"][0]["key"]), (&"succeeded".into(), &"count".into()));
    house.run(&["status", &run]).code(0).shows(&["count", "succeeded", "S1"]);
    house.run(&["logs", &run]).code(0).shows(&["counting S1"]);
    house.run(&["logs", &run, "count", "--follow"]).code(0).shows(&["counting S1"]);
    assert_eq!(house.run(&["logs", &run, "--json"]).code(0).json()["final"], true);
    house.run(&["logs", &run, "nothing"]).code(4);
    house.run(&["logs", &run, "count", "--attempt", "2"]).code(4);
    house.run(&["watch", &run]).code(0).shows(&["step started count", "run succeeded"]);
    house.run(&["why", &run]).code(0).shows(&["every step is done"]);
    house.run(&["why", &run, "nothing"]).code(4).says(&["no step `nothing`"]);
    house.kentai("specimen show S1").code(0).shows(&["S1", "succeeded"]);
    let files: Vec<_> = std::fs::read_dir(house.path(".kentai/samples/S1")).expect("a view by sample").collect();
    assert!(!files.is_empty());
}

#[test]
fn times_are_told_in_the_sites_zone_and_to_machines_in_utc() {
    let house = House::with_site("time_zone: Asia/Tokyo\n");
    house.kentai("run count.yaml --sheet one.csv --executor process --quiet").code(0);
    house.kentai("status").code(0).shows(&["updated (Asia/Tokyo)"]);
    let updated = house.kentai("status --json").json()["items"][0]["updated"].clone();
    assert!(updated.as_str().is_some_and(|at| at.ends_with('Z')), "{updated}");
}

#[test]
fn a_failed_run_says_why_and_is_tried_again() {
    let house = House::new();
    house.kentai("run broken.yaml --sheet one.csv --executor process").code(10).says(&[
        "second",
        "exit code 3",
        "kentai logs",
    ]);
    let run = house.run_of("S1");
    house.run(&["why", &run]).code(0).shows(&["second", "exit code 3", "operator", "kentai retry"]);
    let why = house.run(&["why", &format!("{run}/second"), "--json"]).code(0).json();
    assert_eq!((&why[0]["specimen"], &why[0]["because"][0]["status"]), (&"S1".into(), &"failed".into()));
    house.kentai("why S1").code(0).shows(&["S1", "second (failed)"]);
    house.run(&["logs", &run]).code(0).shows(&["cannot go on"]);
    house.run(&["watch", &run]).code(10);
    house.run(&["retry", &run, "--from", "nothing"]).code(4).says(&["nothing"]);
    house.run(&["retry", &run]).code(0).shows(&["1 step(s)"]).says(&["no engine runs"]);
    house.kentai("run broken.yaml --sheet one.csv --executor process").code(10);
    let detail = house.run(&["status", &run, "--json"]).code(0).json();
    let attempts = detail["attempts"].as_array().expect("a list");
    let keys: Vec<&str> = attempts.iter().filter_map(|one| one["step"].as_str()).collect();
    assert_eq!(keys, ["first", "second", "second"], "what was done is not done again");
}

#[test]
fn an_unknown_run_is_not_found_whatever_is_asked_of_it() {
    let house = House::new();
    house.kentai("run count.yaml --sheet one.csv --executor process").code(0);
    for words in ["status rx", "watch rx", "logs rx", "why rx", "cancel rx", "resume rx", "retry rx", "approve rx"] {
        house.kentai(words).code(4).says(&["rx"]);
    }
    house.run(&["status", "r' or 1=1 --"]).code(4);
    house.run(&["status", "%"]).code(4);
}

#[test]
fn quiet_is_quiet_and_json_is_one_document() {
    let house = House::new();
    let done = house.kentai("run count.yaml --sheet one.csv --executor process --quiet --json").code(0);
    assert_eq!(done.err, "");
    assert_eq!(done.json()["statuses"]["succeeded"], 1);
}
