//! Workflows laid out over specimens: keys, needs, order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::fixture::{lanes, param, step, workflow};
use super::*;
use crate::site::{Bundle, Site};
use crate::value::FileValue;
use crate::workflow::{ParamKind, Step, Workflow};

mod library;

fn specimen(ids: &[&str]) -> Specimen {
    let lanes: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    serde_json::from_value(json!({ "id": "S1", "values": { "lanes": lanes } })).expect("a specimen")
}

fn with_lanes(steps: Vec<Step>) -> Workflow {
    Workflow { inputs: vec![lanes()], ..workflow(steps) }
}

/// `key role [needs]`, one line per step.
fn drawn(plan: &Plan) -> Vec<String> {
    let role = |step: &PlannedStep| {
        serde_json::to_value(step.role).expect("a role").as_str().map(str::to_owned).expect("text")
    };
    plan.steps.iter().map(|step| format!("{} {} [{}]", step.key, role(step), step.needs.join(" "))).collect()
}

fn check(workflow: &Workflow, ids: &[&str], expected: &[&str]) {
    let plan = lay_out(workflow, &specimen(ids), &Map::new()).expect("a plan");
    assert_eq!(drawn(&plan), expected);
}

#[test]
fn scattered_steps_become_items_and_their_group() {
    let workflow = with_lanes(vec![
        step("receive"),
        step("trim").after("receive").for_each("lane", "specimen.lanes"),
        step("reads_ok").uses("trim"),
        step("align").after("reads_ok").uses_each("trim").for_each("lane", "specimen.lanes"),
        step("merge").uses("align"),
    ]);
    check(
        &workflow,
        &["L001", "L002"],
        &[
            "receive single []",
            "trim/L001 item [receive]",
            "trim/L002 item [receive]",
            "trim group [trim/L001 trim/L002]",
            "reads_ok single [trim]",
            "align/L001 item [reads_ok trim/L001]",
            "align/L002 item [reads_ok trim/L002]",
            "align group [align/L001 align/L002]",
            "merge single [align]",
        ],
    );
}

#[test]
fn an_empty_group_still_waits_for_what_its_items_would_wait_for() {
    let workflow = with_lanes(vec![step("receive"), step("trim").after("receive").for_each("lane", "specimen.lanes")]);
    check(&workflow, &[], &["receive single []", "trim group [receive]"]);
}

#[test]
fn a_list_that_a_step_makes_leaves_the_group_pending() {
    let workflow = with_lanes(vec![
        step("split").uses("call"),
        step("call").uses("regions").for_each("region", "steps.regions.list"),
        step("filter").uses("regions").uses_each("call").for_each("region", "steps.regions.list"),
        step("regions"),
    ]);
    check(
        &workflow,
        &[],
        &["regions single []", "call pending [regions]", "split single [call]", "filter pending [regions call]"],
    );
    let items = fan_out(&workflow, "filter", &vec![("region".into(), vec![json!("chr1"), json!("chr2")])]);
    assert_eq!(items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["filter/chr1", "filter/chr2"]);
    assert_eq!(
        (&items[1].item["region"], &items[1].needs),
        (&json!("chr2"), &vec!["regions".to_owned(), "call".to_owned()])
    );
    let twice = fan_out(&workflow, "call", &vec![("region".into(), vec![json!("a"), json!("a")])]);
    assert_eq!(twice.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["call/0001", "call/0002"]);
}

#[test]
fn several_loop_names_cross_and_join_their_ids() {
    let workflow = with_lanes(vec![step("call").for_each("lane", "specimen.lanes").for_each("chr", "params.regions")]);
    let params = json!({"regions": ["chr1", "chr 2"]}).as_object().cloned().expect("a map");
    let plan = lay_out(&workflow, &specimen(&["L001"]), &params).expect("a plan");
    assert_eq!(drawn(&plan)[..2], ["call/L001,chr1 item []", "call/L001,0002 item []"]);
    assert_eq!((&plan.steps[1].item["lane"]["id"], &plan.steps[1].item["chr"]), (&json!("L001"), &json!("chr 2")));
}

#[test]
fn lists_that_cannot_be_laid_out_are_all_reported() {
    let many: Vec<Value> = (0..200).map(|number| json!(number)).collect();
    let params = json!({"many": many, "text": "x"}).as_object().cloned().expect("a map");
    let workflow = with_lanes(vec![
        step("a").for_each("lane", "specimen.lanes"),
        step("b").for_each("x", "params.text"),
        step("c").for_each("x", "params.many").for_each("y", "params.many"),
        step("d").for_each("x", "params.nothing"),
    ]);
    let notes = lay_out(&workflow, &specimen(&["L001", "L001"]), &params).expect_err("refused");
    assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), ["P102", "P101", "P103", "P101"]);
}

#[test]
fn a_cycle_is_refused_rather_than_laid_out() {
    let workflow = workflow(vec![step("a").after("b"), step("b").after("a"), step("c")]);
    let notes = lay_out(&workflow, &specimen(&[]), &Map::new()).expect_err("refused");
    assert_eq!(notes[0].message.en, "these steps wait for each other: a, b");
}

fn site() -> Site {
    let bundle = Bundle { directory: "/refs/g".into(), roles: BTreeMap::from([("fasta".into(), "g.fa".into())]) };
    Site { references: Some(BTreeMap::from([("GRCh38@2024-07".into(), bundle)])), ..Site::default() }
}

fn file(path: &str) -> Result<FileValue, String> {
    if path.starts_with('/') {
        return Ok(FileValue {
            name: "f".into(),
            path: Some(path.into()),
            sha256: None,
            size: Some(1),
            bundle: None,
            dir: false,
        });
    }
    Err("not found".into())
}

fn with_params() -> Workflow {
    let mut depth = param("min_depth", ParamKind::Number);
    (depth.min, depth.default, depth.required) = (Some(0.0), Some(json!(30)), false);
    let mut optional = param("comment", ParamKind::String);
    optional.required = false;
    let params = vec![
        depth,
        param("reference", ParamKind::Reference),
        param("bed", ParamKind::File),
        param("wait", ParamKind::Duration),
        optional,
    ];
    Workflow { params, ..workflow(vec![step("a")]) }
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn parameters_are_typed_defaulted_and_resolved() {
    let given = given(&[("reference", "GRCh38@2024-07"), ("bed", "/x/a.bed"), ("wait", "2m")]);
    let params = resolve_params(&with_params(), &given, &site(), &file).expect("resolved");
    assert_eq!((&params["min_depth"], &params["wait"], &params["comment"]), (&json!(30), &json!(120), &Value::Null));
    let fasta = FileValue::of(&params["reference"]["fasta"]).expect("a file");
    assert_eq!((fasta.path.as_deref(), fasta.bundle.as_deref()), (Some("/refs/g/g.fa"), Some("/refs/g")));
    assert_eq!(FileValue::of(&params["bed"]).and_then(|bed| bed.size), Some(1));
    let again = resolve_values(&with_params(), &params, &site(), &file);
    assert_eq!(again.expect("values pass as they are"), params);
}

#[test]
fn every_wrong_parameter_is_named_with_its_remedy() {
    let given = given(&[("min_dept", "30"), ("min_depth", "-1"), ("reference", "GRCh38@2024"), ("bed", "a.bed")]);
    let notes = resolve_params(&with_params(), &given, &site(), &file).expect_err("refused");
    let codes: Vec<_> = notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, ["P201", "P203", "P204", "P205", "P202"]);
    assert!(notes[0].message.en.ends_with("did you mean `min_depth`?"));
    assert!(notes[2].help.as_ref().expect("help").en.contains("kentai reference add GRCh38@2024 FASTA"));
}

/// Steps that depend on any others of a random order, some scattered, some by a list that a step makes.
fn any_workflow() -> impl Strategy<Value = Workflow> {
    let step_choice = (prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 0..4), 0..3_u8);
    (prop::collection::vec(step_choice, 1..14), any::<u64>()).prop_map(|(choices, seed)| {
        let mut steps = Vec::new();
        for (number, (before, scatter)) in choices.iter().enumerate() {
            let mut made = step(&format!("s{number}"));
            for (index, how) in before.iter().filter(|_| number > 0) {
                let other = format!("s{}", index.index(number));
                made = match how {
                    0 => made.after(&other),
                    1 => made.uses(&other),
                    _ => made.uses_each(&other),
                };
            }
            steps.push(match scatter {
                0 => made,
                1 => made.for_each("lane", "specimen.lanes"),
                _ => made.for_each("x", "steps.s0.list"),
            });
        }
        // The file's order is anyone's choice, so it is turned.
        let turn = usize::try_from(seed % 13).unwrap_or(0) % steps.len();
        steps.rotate_left(turn);
        with_lanes(steps)
    })
}

proptest! {
    #[test]
    fn the_order_respects_every_need(workflow in any_workflow(), count in 0..4_usize) {
        let ids: Vec<String> = (0..count).map(|number| format!("L{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let plan = lay_out(&workflow, &specimen(&ids), &Map::new()).expect("a plan");
        let mut done = std::collections::BTreeSet::new();
        for step in &plan.steps {
            prop_assert!(step.needs.iter().all(|need| done.contains(need)), "{:?}", step);
            prop_assert!(done.insert(step.key.clone()), "{} twice", step.key);
        }
        let steps: std::collections::BTreeSet<_> = plan.steps.iter().map(|step| &step.step).collect();
        prop_assert_eq!(steps.len(), workflow.steps.len());
    }

    #[test]
    fn what_a_step_waits_for_is_always_among_what_it_reaches(workflow in any_workflow()) {
        let plan = lay_out(&workflow, &specimen(&["L1", "L2"]), &Map::new()).expect("a plan");
        let owner: BTreeMap<&str, &str> = plan.steps.iter().map(|step| (step.key.as_str(), step.step.as_str())).collect();
        for planned in plan.steps.iter().filter(|planned| planned.role != Role::Group) {
            let step = workflow.step(&planned.step).expect("its step");
            let waited: std::collections::BTreeSet<&str> = planned.needs.iter().map(|need| owner[need.as_str()]).collect();
            let wanted: std::collections::BTreeSet<&str> = step.after.iter().chain(step.uses.iter().map(|used| &used.step)).map(String::as_str).collect();
            prop_assert_eq!(waited, wanted);
        }
    }
}
