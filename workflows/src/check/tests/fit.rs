//! Which executors could run a step: labels, amounts, images; and what is said when none could.

use super::super::check;
use crate::diagnostic::Diagnostic;
use crate::site::{Executor, Site};

fn executor(name: &str, labels: &[&str], cpus: u32, memory_gib: u64) -> Executor {
    Executor {
        name: name.into(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        images: true,
        cpus,
        memory_bytes: memory_gib << 30,
        ..Executor::default()
    }
}

/// Mistakes (no warnings) of a step with these resources, at a site with these executors.
fn found(resources: &str, executors: Vec<Executor>) -> Vec<Diagnostic> {
    of_step(&format!("image: \"example@sha256:{}\", resources: {{ {resources} }}", "0".repeat(64)), executors)
}

fn of_step(step: &str, executors: Vec<Executor>) -> Vec<Diagnostic> {
    let text = format!("kentai: 1\nworkflow: w\nsteps:\n  a: {{ script: \"true\", {step} }}\n");
    let site = Site { executors: Some(executors), ..Site::default() };
    let checked = check("w.yaml", text.as_bytes(), &site, &|_| Err("nothing".into()));
    assert_eq!(checked.workflow.is_some(), !checked.diagnostics.iter().any(is_error), "{text}");
    checked.diagnostics.into_iter().filter(is_error).collect()
}

fn said(found: &[Diagnostic]) -> String {
    found.iter().map(|one| format!("{} {} {:?}\n", one.code, one.message.en, one)).collect()
}

#[test]
fn what_fits_one_executor_is_no_mistake_however_small_the_others_are() {
    let two = || vec![executor("here", &[], 4, 8), executor("hpc", &["large"], 0, 512)];
    assert_eq!(said(&found("cpus: 48, memory: 256 GiB", two())), "");
    assert_eq!(said(&found("cpus: 48, labels: [large]", two())), "");
    let big = found("memory: 600 GiB", two());
    let text = said(&big);
    assert!(big.len() == 1 && text.starts_with("K052"), "{text}");
    assert!(text.contains("here 8 GiB, hpc 512 GiB"), "it says where: {text}");
    let labelled =
        found("cpus: 5, labels: [large]", vec![executor("here", &["large"], 4, 8), executor("hpc", &[], 64, 8)]);
    assert!(said(&labelled).starts_with("K052 this site has at most 4 of `cpus`"), "{}", said(&labelled));
}

#[test]
fn what_no_executor_has_together_is_said_with_what_each_lacks() {
    let two = vec![executor("here", &[], 4, 512), executor("hpc", &[], 64, 8)];
    let text = said(&found("cpus: 48, memory: 256 GiB", two));
    assert!(text.starts_with("K052 no executor of this site has all of this"), "{text}");
    assert!(text.contains("here: cpus 4; hpc: memory 8 GiB"), "{text}");
}

#[test]
fn a_label_that_no_executor_has_is_said_with_those_that_are_known() {
    let two = || vec![executor("here", &["fast"], 4, 8), executor("hpc", &["large"], 64, 512)];
    let text = said(&found("labels: [larg]", two()));
    assert!(text.starts_with("K056 this site has no label `larg`") && text.contains("it has: fast, large"), "{text}");
    let both = said(&found("labels: [large, fast]", two()));
    assert!(both.starts_with("K056 no executor of this site has all of these labels"), "{both}");
    assert!(both.contains("here: fast; hpc: large"), "{both}");
    let only = Executor { only_labelled: true, ..executor("hpc", &["large"], 0, 0) };
    assert_eq!(said(&found("labels: [large]", vec![only.clone()])), "");
    assert_eq!(said(&found("cpus: 1", vec![Executor { all: true, ..only }])), "", "it was chosen");
    assert_eq!(said(&found("labels: [x]", vec![Executor { all: true, ..executor("a", &[], 0, 0) }])), "");
}

#[test]
fn a_step_without_an_image_asks_for_plain_processes_by_label_and_one_with_an_image_never_gets_them() {
    let bench = Executor { images: false, ..executor("bench", &["no_container"], 4, 8) };
    let two = || vec![executor("here", &[], 4, 8), bench.clone()];
    assert_eq!(said(&of_step("resources: { labels: [no_container] }", two())), "");
    assert!(said(&of_step("resources: { cpus: 1 }", two())).starts_with("K051"));
    let text = said(&found("labels: [no_container]", two()));
    assert!(text.starts_with("K056 no executor with these labels runs images"), "{text}");
}

fn is_error(one: &Diagnostic) -> bool {
    one.severity == crate::diagnostic::Severity::Error
}
