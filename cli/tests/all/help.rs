//! Help, explanations, completions, manual pages.

use super::house::House;

#[test]
fn a_wrong_verb_is_usage_and_says_what_there_is() {
    let house = House::with_site("");
    house.kentai("statsu").code(2).says(&["statsu", "status"]);
    house.kentai("status --limit 0").code(2);
    house.kentai("hold r1").code(2).says(&["--reason"]);
    house.run(&["reject", "r1", "--reason", " "]).code(2).says(&["say why"]);
    house.kentai("run count.yaml --sheet sheet.csv --param x").code(2).says(&["NAME=VALUE"]);
    house.kentai("status --status nonsense").code(2).says(&["nonsense", "waits_for_person"]);
}

#[test]
fn help_has_examples() {
    let house = House::new();
    for verb in ["run", "status", "why", "logs", "submit", "demo", "init"] {
        house.run(&["help", verb]).code(0).shows(&["Example", "kentai"]);
    }
    house.kentai("qc decide --help").code(0).shows(&["Example", "--verdict"]);
    house.kentai("--version").code(0).shows(&["kentai "]);
}

#[test]
fn a_code_has_a_page_and_an_unknown_one_has_neighbors() {
    let house = House::new();
    house.kentai("explain K030").code(0).shows(&["# K030", "Right:"]);
    house.kentai("explain k030 --language ja").code(0).shows(&["# K030", "正しい例:"]);
    house.kentai("explain S999").code(4).says(&["S999", "S12"]);
    house.kentai("explain hello").code(4).says(&["kentai explain"]);
    house.kentai("explain").code(0).shows(&["K001", "S110"]);
    assert_eq!(house.kentai("explain K030 --json").code(0).json()["code"], "K030");
}

#[test]
fn completions_and_manual_pages_know_every_verb() {
    let house = House::new();
    house.kentai("completions bash").code(0).shows(&["kentai", "approve", "reference"]);
    house.kentai("completions powershell").code(0);
    house.kentai("completions tcsh").code(2);
    house.kentai("man").code(0).shows(&[".TH", "kentai"]);
    house.kentai("man --dir pages").code(0);
    for page in ["kentai.1", "kentai-run.1", "kentai-qc-decide.1"] {
        assert!(house.path("pages").join(page).is_file(), "{page}");
    }
}

#[test]
fn nobody_reading_to_the_end_is_no_error() {
    let house = House::new();
    let script =
        format!("set -o pipefail; {0} completions bash | true; {0} explain | head -n 1", env!("CARGO_BIN_EXE_kentai"));
    let output =
        assert_cmd::Command::new("bash").args(["-c", &script]).current_dir(house.path(".")).output().expect("run");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !err.contains("panicked"), "{err}");
}
