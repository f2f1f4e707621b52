//! Bad sheets: a diagnostic with place and remedy, exit code 3, nothing stored.

use super::house::House;

/// `run` and `specimen import` refuse the sheet with these words, and keep nothing.
#[track_caller]
fn refused(house: &House, words: &[&str]) {
    house.kentai("run count.yaml --sheet bad.csv --executor process").code(3).says(words);
    house.kentai("specimen import bad.csv --workflow count.yaml").code(3).says(words);
    let found = house.kentai("run count.yaml --sheet bad.csv --executor process --json").code(3).json();
    assert!(found["diagnostics"].as_array().is_some_and(|list| !list.is_empty()), "{found}");
    assert_eq!(house.kentai("status --json").code(0).json()["items"], serde_json::json!([]));
    assert_eq!(house.kentai("specimen list --json").code(0).json()["items"], serde_json::json!([]));
}

#[test]
fn a_hostile_specimen_id_is_refused() {
    let house = House::new();
    for id in ["$(touch x)", "../x", "\"a\nb\"", "-rf", "a/b", "a;b", "", "検体", "a\u{1b}[2J", &"a".repeat(65)] {
        house.write("bad.csv", format!("specimen,reads\n{id},a.txt\n"));
        refused(&house, &["bad.csv:"]);
        assert!(!house.path("x").exists());
    }
}

#[test]
fn a_missing_file_is_named_with_its_cell() {
    let house = House::new();
    house.write("bad.csv", "specimen,reads\nS1,a.txt\nS2,nothing.txt\nS3,none.txt\n");
    refused(&house, &["S110", "nothing.txt", "none.txt", "bad.csv:3"]);
}

#[test]
fn a_wrong_checksum_is_found_before_anything_is_stored() {
    let house = House::new();
    house.write("bad.csv", format!("specimen,reads,reads_sha256\nS1,a.txt,{}\n", "0".repeat(64)));
    refused(&house, &["S123", "a.txt"]);
}

#[test]
fn an_unknown_column_gets_a_suggestion() {
    let house = House::new();
    house.write("bad.csv", "specimen,raeds\nS1,a.txt\n");
    refused(&house, &["S104", "raeds", "reads"]);
}

#[test]
fn a_lane_or_specimen_that_is_there_twice_is_refused() {
    let house = House::new();
    house.write("bad.csv", "specimen,reads\nS1,a.txt\nS1,b.txt\n");
    refused(&house, &["S107", "S1"]);
    let lanes = "kentai: 1\nworkflow: count\nspecimen: { inputs: { lanes: { type: list, item: { id: string, r: file } } } }\nsteps:\n  one:\n    for_each: { lane: specimen.lanes }\n    inputs: { r: \"${{ lane.r }}\" }\n    script: cat \"$in_r\"\n";
    house.write("count.yaml", lanes);
    house.write("bad.csv", "specimen,lane,r\nS1,L1,a.txt\nS1,L1,b.txt\n");
    refused(&house, &["S107", "L1"]);
}

#[test]
fn a_sheet_that_is_no_text_is_refused() {
    let house = House::new();
    house.write("bad.csv", b"specimen,reads\n\x8c\x9f\x91\xcc,a.txt\n");
    refused(&house, &["S112"]);
    house.write("bad.csv", "");
    refused(&house, &["S111"]);
}

#[test]
fn a_parameter_that_the_workflow_does_not_know_is_refused() {
    let house = House::new();
    house.kentai("run count.yaml --sheet one.csv --executor process --param depht=3").code(3).says(&["depht"]);
}

#[test]
fn an_import_keeps_specimens_without_a_run() {
    let house = House::new();
    house
        .kentai("specimen import sheet.csv --workflow count.yaml --dry-run")
        .code(0)
        .says(&["2 specimen(s) would be kept"]);
    assert_eq!(house.kentai("specimen list --json").code(0).json()["items"], serde_json::json!([]));
    house.kentai("specimen import sheet.csv --workflow count.yaml").code(0).shows(&["S1", "S2"]);
    house.kentai("specimen list").code(0).shows(&["S1", "S2"]);
    house.kentai("specimen show S2").code(0).shows(&["specimen", "S2", "sheet.csv"]);
    assert_eq!(house.kentai("specimen show S2 --json").code(0).json()["runs"], serde_json::json!([]));
    house.kentai("specimen show S9").code(4).says(&["S9", "kentai specimen list"]);
    assert_eq!(house.kentai("status --json").code(0).json()["items"], serde_json::json!([]));
}
