//! Checks from outside: whole files in, diagnostics out.

use super::*;
use crate::diagnostic::{Language, Severity, render, to_json};

mod calls;
mod fit;
mod hostile;
mod samples;

const GERMLINE: &str = include_str!("examples/germline_wgs.yaml");
const HELLO: &str = include_str!("examples/hello.yaml");

fn nothing_to_load(name: &str) -> Result<(String, Vec<u8>), String> {
    Err(format!("there is no file {name}"))
}

fn checked(source: &str) -> Checked {
    check("germline.yaml", source.as_bytes(), &Site::default(), &nothing_to_load)
}

fn drawn(checked: &Checked, language: Language) -> String {
    render(&checked.diagnostics, &checked.sources, language, false)
}

fn told(source: &str) -> String {
    drawn(&checked(source), Language::En)
}

fn codes(checked: &Checked) -> Vec<&'static str> {
    checked.diagnostics.iter().map(|found| found.code).collect()
}

#[test]
fn the_examples_of_the_language_are_accepted() {
    for source in [GERMLINE, HELLO] {
        assert!(checked(source).workflow.is_some(), "{}", told(source));
    }
}

#[test]
fn shipped_workflows_are_accepted() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    for folder in std::fs::read_dir(library).expect("the library") {
        for file in std::fs::read_dir(folder.expect("a folder").path()).expect("a folder") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let source = std::fs::read_to_string(&path).expect("text");
                assert!(checked(&source).workflow.is_some(), "{}", told(&source));
            }
        }
    }
}

#[test]
fn what_is_to_be_encrypted_goes_to_no_target_without_a_key() {
    let source = GERMLINE.replace("encrypt: none", "encrypt: crypt4gh");
    assert!(checked(&source).workflow.is_some());
    let to = GERMLINE.split("handoff:").nth(1).and_then(|rest| rest.split("to: ").nth(1)).expect("a target");
    let to = to.split_whitespace().next().expect("its name").to_owned();
    let site = Site { plain_targets: Some([to].into()), ..Site::default() };
    let checked = check("germline.yaml", source.as_bytes(), &site, &nothing_to_load);
    let errors = checked.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    assert_eq!(errors.map(|found| found.code).collect::<Vec<_>>(), ["K091"]);
    assert!(checked.workflow.is_none());
}

#[test]
fn the_model_holds_what_the_file_says() {
    let checked = checked(GERMLINE);
    let workflow = checked.workflow.expect("a workflow");
    assert_eq!((workflow.id.as_str(), workflow.version.as_str()), ("germline_wgs", "2026.11.0"));
    assert_eq!(workflow.title.ja.as_deref(), Some("生殖細胞系列全ゲノム"));
    assert_eq!(workflow.digest.len(), 64);
    let names: Vec<&str> = workflow.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(names, ["receive", "trim", "reads_ok", "align", "merge", "coverage_ok", "call", "release", "deliver"]);
    let crate::workflow::InputKind::List { item, column, min_items } = &workflow.inputs[0].kind else {
        panic!("a list")
    };
    assert_eq!((column.as_str(), *min_items, item.len()), ("lane", 1, 3));
}

#[test]
fn uses_and_defaults_reach_the_steps() {
    let workflow = checked(GERMLINE).workflow.expect("a workflow");
    let align = workflow.step("align").expect("align");
    let used = crate::workflow::Use { step: "trim".to_owned(), each: true };
    assert_eq!(align.uses, [used]);
    assert_eq!((align.timeout_s, align.retry.attempts, align.retry.escalate_timeout), (Some(43_200), 4, Some(2.0)));
    let crate::workflow::StepKind::Tool(tool) = &align.kind else { panic!("a tool") };
    assert_eq!(tool.image.as_deref(), Some("kentai/seqtools:1"));
    let literal =
        |template: &Option<crate::expression::Template>| template.as_ref().and_then(|t| t.literal()).map(str::to_owned);
    assert_eq!(literal(&tool.resources.cpus).as_deref(), Some("8"));
    let crate::workflow::StepKind::Tool(trim) = &workflow.step("trim").expect("trim").kind else { panic!("a tool") };
    assert_eq!(literal(&trim.resources.memory).as_deref(), Some("4 GiB"));
    assert_eq!(workflow.step("trim").expect("trim").timeout_s, Some(14_400));
}

const OPTIONAL: &str = "kentai: 1
workflow: optional
defaults: { image: \"example:1\" }
params: { label: { type: string, required: false }, bed: { type: file, required: false } }
steps:
  count: { when: CONDITION, env: { LABEL: \"${{ params.label }}\" }, inputs: { bed: \"${{ params.bed }}\" }, script: cat \"$in_bed\" }
";

#[test]
fn what_may_be_absent_is_used_only_where_somebody_asks() {
    let asked = checked(&OPTIONAL.replace("CONDITION", "params.label != none and params.bed != none"));
    assert!(asked.workflow.is_some(), "{}", drawn(&asked, Language::En));
    let unasked = checked(&OPTIONAL.replace("CONDITION", "1 < 2"));
    assert_eq!(codes(&unasked).iter().filter(|code| **code == "K041").count(), 2);
}

#[test]
fn the_site_is_asked_for_what_it_has() {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let bundle =
        crate::site::Bundle { directory: "/r".to_owned(), roles: [("fasta".to_owned(), "x.fa".to_owned())].into() };
    let site = Site {
        targets: names(&["archive"]),
        roles: names(&["operator"]),
        references: Some([("GRCh38@2024-07".to_owned(), bundle)].into()),
        places: names(&[]),
        cpus: 4,
        memory_bytes: 8 << 30,
        disk_bytes: 100 << 30,
        timeout_s_max: 3_600,
        locked_images: [("kentai/seqtools:1".to_owned(), "sha256:0".to_owned())].into(),
        ..Site::default()
    };
    let checked = check("germline.yaml", GERMLINE.as_bytes(), &site, &nothing_to_load);
    let mut codes = codes(&checked);
    codes.sort_unstable();
    let expected = ["K052", "K052", "K052", "K053", "K053", "K056", "K056", "K056", "K056"];
    assert_eq!(codes, expected, "{}", drawn(&checked, Language::En));
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let source = GERMLINE
        .replace("steps.align.all.bam", "steps.alignn.all.bam")
        .replace("missing: warn", "misssing: warn")
        .replace("expires: 7d", "expires: 7 days")
        .replace("kentai: 1", "kentai: 1\nowners: lab");
    let mut codes = codes(&checked(&source));
    codes.retain(|code| !matches!(*code, "K050" | "K090" | "K044"));
    codes.sort_unstable();
    assert_eq!(codes, ["K010", "K010", "K011", "K012", "K014"]);
}

#[test]
fn sentences_name_no_type_of_ours_and_come_in_japanese() {
    let checked = checked(&GERMLINE.replace("params.", "param.").replace("steps:", "step:"));
    let (english, japanese) = (drawn(&checked, Language::En), drawn(&checked, Language::Ja));
    for word in ["Option", "Vec", "String", "usize", "enum", "struct", "::<"] {
        assert!(!english.contains(word), "{word}:\n{english}");
    }
    assert!(japanese.contains("不明なキー"));
    let machines = to_json(&checked.diagnostics, Language::Ja);
    assert_eq!(machines["diagnostics"].as_array().map(Vec::len), Some(checked.diagnostics.len()));
}
