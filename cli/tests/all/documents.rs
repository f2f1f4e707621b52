//! `check`, `graph`, `workflow …`: files in, diagnostics or documents out.

use super::house::{COUNT, GATED, House};

#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_place() {
    let house = House::new();
    house.write("bad.yaml", COUNT.replace("specimen.reads", "specimen.raeds").replace("steps:", "ownr: me\nsteps:"));
    house.kentai("check bad.yaml").code(3).says(&["error[K", "bad.yaml:", "ownr", "raeds", "reads"]);
    let found = house.kentai("check --json bad.yaml").code(3).json();
    let list = found["diagnostics"].as_array().expect("a list");
    assert!(list.len() >= 2, "{found}");
    for one in list {
        for key in ["code", "severity", "message", "file", "line", "column", "help"] {
            assert!(one.get(key).is_some(), "no `{key}` in {one}");
        }
    }
}

#[test]
fn mistakes_are_told_in_japanese_when_asked() {
    let house = House::new();
    house.write("bad.yaml", COUNT.replace("script:", "scirpt:"));
    let [en, ja] =
        ["en", "ja"].map(|language| house.run(&["check", "--language", language, "--json", "bad.yaml"]).json());
    assert_ne!(en["diagnostics"][0]["message"], ja["diagnostics"][0]["message"]);
    assert!(ja["diagnostics"][0]["message"].as_str().is_some_and(|message| !message.is_ascii()));
}

#[test]
fn a_site_can_choose_the_language() {
    let house = House::with_site("language: ja\n");
    house.write("bad.yaml", COUNT.replace("script:", "scirpt:"));
    assert!(!house.kentai("check --json bad.yaml").json()["diagnostics"][0]["message"].to_string().is_ascii());
    assert!(
        house.kentai("check --json --language en bad.yaml").json()["diagnostics"][0]["message"].to_string().is_ascii()
    );
}

#[test]
fn hostile_files_get_diagnostics_and_no_panic() {
    let house = House::new();
    let bomb = "a: &a [1,2]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n".repeat(50);
    let deep = "[".repeat(100_000);
    let bytes: [&[u8]; 6] = [
        b"",
        b"\xff\xfe\x00",
        b"\x8c\x9f\x91\xcc: 1\n",
        b"kentai: 1\n\tworkflow: x\n",
        bomb.as_bytes(),
        deep.as_bytes(),
    ];
    for (number, bytes) in bytes.iter().enumerate() {
        house.write("hostile.yaml", bytes);
        let done = house.kentai("check --json hostile.yaml").code(3);
        assert!(!done.json()["diagnostics"].as_array().expect("a list").is_empty(), "case {number}");
        assert!(!done.err.contains("panicked"), "{}", done.err);
    }
}

#[test]
fn a_good_file_is_said_to_be_good() {
    let house = House::of_processes();
    house.kentai("check count.yaml hello").code(0).says(&["2 file(s) checked"]);
    let nothing = house.kentai("check --quiet count.yaml").code(0);
    assert_eq!((nothing.out.as_str(), nothing.err.as_str()), ("", ""));
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let house = House::new();
    house.kentai("check nothing.yaml").code(4).says(&["nothing.yaml", "germline_wgs"]);
    house.kentai("workflow fmt nothing.yaml").code(4);
    house.kentai("run nothing.yaml --sheet sheet.csv").code(4);
    house.kentai("run count.yaml --sheet nothing.csv --executor process").code(4).says(&["nothing.csv"]);
}

#[test]
fn a_graph_is_drawn_as_picture_text_or_data() {
    let house = House::new();
    house.kentai("graph gated.yaml").code(0).shows(&["flowchart", "measure", "release"]);
    house.kentai("graph --svg gated.yaml").code(0).shows(&["<svg", "</svg>"]);
    let data = house.kentai("workflow graph --json gated.yaml").code(0).json();
    assert_eq!(data["steps"][0]["id"], "measure");
    assert!(data["edges"].as_array().is_some_and(|edges| edges.len() >= 3), "{data}");
}

#[test]
fn a_file_is_laid_out_only_when_asked_to_be_written() {
    let house = House::new();
    let crooked = COUNT.replace("steps:\n  count:\n", "steps:   \n\n\n  count: \n");
    house.write("crooked.yaml", &crooked);
    house.kentai("workflow fmt --check crooked.yaml count.yaml").code(3).shows(&["crooked.yaml"]);
    let text = |name: &str| std::fs::read_to_string(house.path(name)).expect("there");
    assert_eq!(text("crooked.yaml"), crooked);
    house.kentai("workflow fmt --write crooked.yaml").code(0).says(&["crooked.yaml"]);
    assert_ne!(text("crooked.yaml"), crooked);
    house.kentai("workflow fmt --check crooked.yaml").code(0);
    let again = house.kentai("workflow fmt crooked.yaml").code(0);
    assert_eq!(again.out, text("crooked.yaml"));
}

#[test]
fn a_file_that_is_no_workflow_is_not_laid_out() {
    let house = House::new();
    house.write("bad.yaml", b"a: [1,\n");
    house.kentai("workflow fmt bad.yaml").code(3).says(&["bad.yaml"]);
    house.write("bytes.yaml", b"\x8c\x9f: 1\n");
    house.kentai("workflow fmt --write bytes.yaml").code(3).says(&["bytes.yaml"]);
    assert_eq!(std::fs::read(house.path("bytes.yaml")).expect("there"), b"\x8c\x9f: 1\n");
}

#[test]
fn the_schema_is_one_that_editors_can_use() {
    let schema = House::new().kentai("workflow schema").code(0).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["steps"].is_object());
}

#[test]
fn a_workflow_is_registered_only_with_a_lock() {
    let house = House::of_processes();
    house.kentai("workflow register hello").code(3).says(&["K050", "kentai/seqtools:1", "kentai workflow lock"]);
    house.kentai("workflow register count.yaml").code(0).says(&["registered count 1"]);
    house.kentai("workflow register count.yaml").code(0);
    let listed = house.kentai("workflow list --json").code(0).json();
    assert_eq!((&listed["known"][0]["id"], &listed["known"][0]["registered"]), (&"count".into(), &true.into()));
    assert_eq!(house.kentai("workflow show count@1").code(0).out, COUNT);
    assert_eq!(house.kentai("workflow show germline_wgs").code(0).out.lines().next(), Some("kentai: 1"));
    house.kentai("workflow show nothing").code(4).says(&["kentai workflow list"]);
}

#[test]
fn plain_processes_have_nothing_to_lock() {
    let house = House::of_processes();
    house.kentai("workflow lock count.yaml").code(0).says(&["nothing to lock"]);
    house.kentai("workflow lock hello").code(2).says(&["plain processes run no images"]);
    house.kentai("workflow lock hello --executor nobody").code(2).says(&["nobody", "here"]);
}

#[test]
fn a_changed_workflow_is_rehearsed_on_what_its_gates_recorded() {
    let house = House::new();
    house.kentai("run gated.yaml --sheet sheet.csv --executor process").code(11);
    house.kentai("workflow rehearse gated.yaml").code(0).says(&["2 gate(s) judged again: 2 as before"]);
    house.write("looser.yaml", GATED.replace(">= 0.8", ">= 0.4"));
    let shown = house.kentai("workflow rehearse looser.yaml").code(0);
    shown.shows(&["S1", "quality", "fail", "pass", "continue"]).says(&["0 as before, 2 not"]);
    let json = house.kentai("workflow rehearse looser.yaml --json").code(0).json();
    assert_eq!((&json["replayed"], &json["different"][0]["after"]), (&2.into(), &"pass".into()), "{json}");
    house.write("without.yaml", GATED.replace("  quality:", "  other:").replace("after: [quality]", "after: [other]"));
    house.kentai("workflow rehearse without.yaml").code(0).shows(&["not judged", "no step `quality`"]);
    // Nothing was changed by it.
    house.kentai("status --json").code(0);
    assert_eq!(house.kentai("qc list --json").json().as_array().map(Vec::len), Some(2));
}
