//! What people ask for: hold, cancel, decide, approve; and what they are refused.

use super::house::House;

/// Ran until the gate holds; gives the run.
fn holding(house: &House) -> String {
    house
        .kentai("run gated.yaml --sheet one.csv --executor process")
        .code(11)
        .says(&["quality", "0.5", ">= 0.8", "reviewer"]);
    house.run_of("S1")
}

fn go_on(house: &House, code: i32) {
    house.kentai("run gated.yaml --sheet one.csv --executor process").code(code);
}

#[test]
fn a_gate_holds_until_a_person_decides_and_a_person_releases() {
    let house = House::new();
    let run = holding(&house);
    house.run(&["watch", &run]).code(11);
    house.run(&["why", &run]).code(0).shows(&["quality", "0.5", ">= 0.8", "who may act: reviewer", "kentai qc decide"]);
    house.kentai("qc list").code(0).shows(&[&run, "S1", "quality"]);
    house.kentai("status --status waits_for_person").code(0).shows(&[&run]);
    house.run(&["approve", &run]).code(6);
    house.run(&["qc", "decide", &run, "quality", "--verdict", "maybe", "--reason", "x"]).code(2);
    house.run(&["qc", "decide", &run, "measure", "--verdict", "release", "--reason", "x"]).code(6);
    let done = house.run(&["qc", "decide", &run, "--verdict", "release", "--reason", "an old lane", "--json"]).code(0);
    assert_eq!(done.json()["run"], run.as_str());
    go_on(&house, 11);
    house.kentai("qc list").code(0).says(&["no gate holds"]);
    house.run(&["why", &run]).code(0).shows(&["release", "Release it?", "releaser"]);
    house.run(&["approve", &run, "release", "--reason", "seen"]).code(0);
    go_on(&house, 0);
    let deliveries = house.kentai("handoff list --json").code(0).json();
    let delivery = deliveries["items"][0]["id"].as_str().expect("one delivery").to_owned();
    let shown = house.run(&["handoff", "show", &delivery]).code(0).shows(&["delivered", "S1.json", "place"]);
    shown.says(&["sha256sum -c manifest-sha256.txt"]);
    house.run(&["status", &run]).code(0).shows(&["decided", "an old lane", "seen"]);
}

#[test]
fn a_rejected_run_fails() {
    let house = House::new();
    let run = holding(&house);
    house.run(&["qc", "decide", &run, "--verdict", "release", "--reason", "x"]).code(0);
    go_on(&house, 11);
    house.run(&["reject", &run, "--reason", "wrong tube"]).code(0);
    go_on(&house, 10);
    house.run(&["why", &run]).code(0).shows(&["wrong tube"]);
}

#[test]
fn a_held_run_waits_and_a_canceled_one_is_over() {
    let house = House::new();
    let run = holding(&house);
    house.run(&["hold", &run, "--reason", "the scale is checked"]).code(0).shows(&["held"]);
    house.run(&["status", &run]).code(0).shows(&["held by", "the scale is checked"]);
    house.run(&["watch", &run]).code(11);
    house.run(&["resume", &run]).code(0);
    house.run(&["resume", &run]).code(6).says(&["not held"]);
    house.run(&["cancel", &run, "--reason", "wrong tube"]).code(0).shows(&["canceled"]);
    house.run(&["watch", &run]).code(12);
    house.run(&["hold", &run, "--reason", "x"]).code(6);
    go_on(&house, 12);
    house.run(&["retry", &run]).code(0);
    go_on(&house, 11);
}

#[test]
fn a_person_without_the_role_may_look_but_not_ask() {
    let house = House::new();
    let run = holding(&house);
    let people = |roles: &str| {
        let me = super::center::my_uid();
        let other = "{ user: \"4294967294\", name: other, roles: [operator, reviewer] }";
        house.write(
            ".kentai/kentai.yaml",
            format!("people: [ {other}, {{ user: \"{me}\", name: me, roles: [{roles}] }} ]\n"),
        );
    };
    people("");
    house.run(&["status", &run]).code(5).says(&["people of the center"]);
    people("auditor");
    house.run(&["status", &run]).code(0);
    house.run(&["cancel", &run]).code(5).says(&["operator", "people:"]);
    house.run(&["qc", "decide", &run, "--verdict", "release", "--reason", "x"]).code(5).says(&["reviewer"]);
    house.kentai("run count.yaml --sheet one.csv --executor process").code(5);
    house.kentai("specimen import one.csv --workflow count.yaml").code(5);
    house.kentai("workflow register hello").code(5);
}
