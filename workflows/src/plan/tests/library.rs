//! The shipped workflows with their own sheets, from text to plan.

use crate::check::check;
use crate::diagnostic::Language;
use crate::graph;
use crate::plan::{Plan, Role, lay_out, resolve_params};
use crate::sheet;
use crate::site::Site;
use crate::workflow::Workflow;

use std::collections::BTreeMap;
use std::sync::Arc;

fn checked(path: &str, source: &str) -> Arc<Workflow> {
    let checked = check(path, source.as_bytes(), &Site::default(), &|name| Err(format!("{name} is not here")));
    checked.workflow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn plan(workflow: &Workflow, sheet: &str) -> Plan {
    let read = sheet::read("/library/sheet.csv", sheet.as_bytes(), workflow);
    assert_eq!(read.diagnostics, []);
    let no_file = |_: &str| Err("no file is given".to_owned());
    let params = resolve_params(workflow, &BTreeMap::new(), &Site::default(), &no_file).expect("defaults");
    lay_out(workflow, &read.specimens[0], &params).expect("a plan")
}

#[test]
fn the_germline_workflow_runs_once_per_lane_of_its_sheet() {
    let workflow = checked("germline_wgs.yaml", include_str!("../../../library/germline_wgs/germline_wgs.yaml"));
    let plan = plan(&workflow, include_str!("../../../library/germline_wgs/sheet.csv"));
    let lanes = plan.steps.iter().filter(|step| step.step == "trim" && step.role == Role::Item).count();
    let align = plan.steps.iter().find(|step| step.key == "align/L002").expect("an item");
    assert_eq!(lanes, 5);
    assert!(align.needs.contains(&"trim/L002".to_owned()) && align.needs.contains(&"reads_ok".to_owned()));
    assert_eq!(plan.specimen.checksums.len(), 10);
    assert!(graph::svg(&workflow, Language::Ja).contains("検体受領"));
}

#[test]
fn the_smallest_workflow_is_one_step() {
    let workflow = checked("hello.yaml", include_str!("../../../library/hello/hello.yaml"));
    let plan = plan(&workflow, include_str!("../../../library/hello/sheet.csv"));
    assert!(plan.steps.iter().all(|step| step.role == Role::Single));
    assert_eq!(plan.specimen.values["reads"]["$file"]["path"], "/library/reads.txt");
}
