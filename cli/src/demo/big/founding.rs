//! The center before its first specimen: its site file, institutions, programs, people, assays and workflows.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::people::secret::Hidden;
use kentai_engine::qc::criteria::{Behavior, Comparator, Criteria, Criterion};
use kentai_engine::qc::metric::Unit;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{Definition, Handle, Refusal};
use kentai_engine::specimen::expectation::Targets;
use kentai_engine::specimen::import::{Row, Table};
use kentai_engine::specimen::record::Assay;

use super::plan::{CONTROLS, HOSPITALS, PROGRAMS};
use super::workflows;

/// Everybody's; known to the whole world, and said so.
pub(super) const PASSWORD: &str = "insecure-demo";
/// Image of every step, and the digest that stands for it.
const IMAGE: (&str, &str) =
    ("kentai/seqtools:1", "sha256:7c1f4d0a9be25e09a1763bb2e4c8d5f60718293a4b5c6d7e8f90a1b2c3d4e09a");

/// Who works here: name, role, and whom they are of.
pub(super) const PEOPLE: [(&str, &[&str], Option<&str>); 18] = [
    ("adm-01", &["admin"], None),
    ("ops-01", &["operator"], None),
    ("ops-02", &["operator"], None),
    ("ops-07", &["operator"], None),
    ("rev-01", &["reviewer"], None),
    ("rev-02", &["reviewer"], None),
    ("rel-01", &["releaser"], None),
    ("rel-02", &["releaser"], None),
    ("rel-03", &["releaser"], None),
    ("rel-04", &["releaser"], None),
    ("wdo-01", &["withdrawal_officer"], None),
    ("wdo-02", &["withdrawal_officer"], None),
    ("aud-01", &["auditor"], None),
    ("h-017-desk", &["institution"], Some("H-017")),
    ("h-003-desk", &["institution"], Some("H-003")),
    ("d-01-desk", &["data_center"], Some("d-01")),
    ("d-02-desk", &["data_center"], Some("d-02")),
    ("d-03-desk", &["data_center"], Some("d-03")),
];

/// Somebody of [`PEOPLE`].
pub(super) fn person(name: &str) -> Actor {
    let found = PEOPLE.iter().find(|(known, ..)| *known == name);
    let (roles, of) = found.map_or((&[][..], None), |(_, roles, of)| (*roles, *of));
    let place = |role: &str| of.filter(|_| roles.contains(&role)).map(str::to_owned);
    Actor {
        name: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        institution: place("institution"),
        data_center: place("data_center"),
        scopes: None,
    }
}

/// The site file; the port is the one that `kentai serve` of a demonstration listens on.
pub(super) fn site_file(name: &str, port: u16) -> String {
    format!(
        "# A demonstration: nothing in it is real, its passwords are known to the whole world, and no tool is ever run.
site: {name}
time_zone: Asia/Tokyo
limits: {{ cpus: 512, memory: 4 TiB, steps_at_once: 4096, memory_max_per_step: 64 GiB }}
executors:
  - {{ name: node-1, kind: pretend }}
places:
  sequencers: {{ path: sequencers }}
targets:
  d-01: {{ kind: pull, keep: 90d, consent_use: research_domestic }}
  d-02: {{ kind: pull, keep: 90d, consent_use: research_domestic }}
  d-03: {{ kind: pull, keep: 90d, consent_use: research_domestic }}
  archive: {{ kind: directory, path: archive }}
serve:
  - listen: 127.0.0.1:{port}
"
    )
}

/// Which image the workflows' tag is locked to, as `kentai workflow lock` would write it.
pub(super) fn lock(site: &Path) -> Result<()> {
    let locks = BTreeMap::from([IMAGE]);
    std::fs::write(site.join("locks/images.json"), serde_json::to_vec_pretty(&locks)?)
        .context("write locks/images.json")
}

pub(super) fn row(cells: &[(&str, &str)]) -> Row {
    cells
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(column, text)| ((*column).to_owned(), (*text).to_owned()))
        .collect()
}

/// Takes a table in; all of it must be good.
pub(super) async fn import(
    handle: &Handle,
    who: &Actor,
    table: Table,
    rows: Vec<Row>,
    institution: &str,
) -> Result<Vec<String>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (source, institution) = ("demo".into(), institution.to_owned());
    let request = Request::Import { table, rows, dry_run: false, source, institution };
    let answer = handle.center(request, who).await?;
    ensure!(answer.problems.is_empty(), "{table}: {:?}", answer.problems);
    Ok(answer.changed)
}

/// Founds the center.
pub(super) async fn found(handle: &Handle) -> Result<()> {
    let (admin, who) = (person("adm-01"), person("ops-01"));
    for (name, roles, _) in PEOPLE {
        add(handle, &admin, name, roles).await?;
    }
    let senders = HOSPITALS.iter().map(|code| (*code, format!("Hospital {code}"), "sender"));
    let others = [
        (CONTROLS, "Control materials".to_owned(), "sender"),
        ("D-01", "Data Center D-01".to_owned(), "data_center"),
        ("D-02", "Data Center D-02".to_owned(), "data_center"),
        ("D-03", "Data Center D-03".to_owned(), "data_center"),
        ("B-01", "Biobank B-01".to_owned(), "biobank"),
    ];
    let rows = senders.chain(others).map(|(code, name, role)| row(&[("code", code), ("name", &name), ("role", role)]));
    import(handle, &who, Table::Institutions, rows.collect(), "").await?;
    let named = ["Rare diseases", "Cancer", "Population cohort", "Controls"];
    let programs = PROGRAMS.iter().chain(&["control"]).zip(named);
    let rows = programs.map(|(code, name)| row(&[("code", code), ("name", name)])).collect();
    import(handle, &who, Table::Programs, rows, "").await?;
    for (name, text) in workflows::ALL {
        register(handle, &who, name, text).await?;
    }
    for (name, assay) in assays() {
        define(handle, name, "1", assay).await?;
    }
    let looked = Request::Schedule {
        schedule: "control/1".into(),
        looked_us: None,
        paused: Some(true),
        reason: "the freezer is being moved".into(),
    };
    handle.center(looked, &who).await?;
    Ok(())
}

async fn add(handle: &Handle, admin: &Actor, name: &str, roles: &[&str]) -> Result<()> {
    let known = person(name);
    let request = Request::AddPerson {
        name: name.to_owned(),
        service: false,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        institution: known.institution,
        data_center: known.data_center,
    };
    handle.center(request, admin).await?;
    let password = Hidden(PASSWORD.to_owned());
    let request = Request::SetPassword { name: name.to_owned(), password, hash: Hidden::default() };
    handle.center(request, admin).await?;
    Ok(())
}

async fn register(handle: &Handle, who: &Actor, name: &str, text: &str) -> Result<()> {
    let path = format!("{}.yaml", name.replace('@', "-"));
    let definition = Definition { path, source: text.to_owned(), called: BTreeMap::new() };
    match handle.register(&definition, who).await {
        Ok(_) => Ok(()),
        Err(Refusal::Check { diagnostics, .. }) => {
            let said: Vec<String> =
                diagnostics.iter().map(|found| format!("{}: {}", found.code, found.message.en)).collect();
            anyhow::bail!("workflow {name}: {}", said.join("; "))
        }
        Err(other) => Err(other.into()),
    }
}

/// A version of an assay.
pub(super) async fn define(handle: &Handle, name: &str, version: &str, assay: Assay) -> Result<()> {
    let request = Request::Assay { name: name.to_owned(), version: version.to_owned(), assay: Box::new(assay) };
    handle.center(request, &person("ops-01")).await?;
    Ok(())
}

fn assay(workflow: &str, target: &str, total: f64) -> Assay {
    let params = if target.is_empty() { BTreeMap::new() } else { [("deliver_to".into(), target.into())].into() };
    Assay {
        workflow: workflow.to_owned(),
        params,
        reads_ordered: 600_000_000,
        reads_percent: 100.0,
        consent_use: "sequencing".into(),
        targets: Targets { total, ..Targets::default() },
        ..Assay::default()
    }
}

/// What can be ordered from the first day on.
fn assays() -> Vec<(&'static str, Assay)> {
    let judged = |assay: Assay, depth: f64| Assay { criteria: Some(criteria(depth)), ..assay };
    let control = || Assay { criteria: Some(control_criteria()), ..assay("control@2.0.0", "", 14.0) };
    vec![
        ("wgs_30x", judged(assay("germline_wgs@2026.3.0", "d-01", 42.0), 30.0)),
        ("wgs_trio", Assay { family: true, ..judged(assay("germline_wgs@2026.11.0", "d-03", 42.0), 30.0) }),
        ("exome", judged(assay("germline_exome@1.4.0", "d-02", 28.0), 30.0)),
        ("wgs_urgent", judged(assay("germline_wgs@2026.3.0", "d-01", 10.0), 30.0)),
        ("low_pass", assay("low_pass@0.9.0", "", 42.0)),
        ("control_n01", control()),
        ("control_n02", control()),
        ("control_n03", control()),
    ]
}

/// What is ordered since the long workflow came.
pub(super) fn second_versions() -> Vec<(&'static str, Assay)> {
    let long =
        |target, total| Assay { criteria: Some(criteria(30.0)), ..assay("germline_wgs@2026.11.0", target, total) };
    vec![("wgs_30x", long("d-01", 42.0)), ("wgs_urgent", long("d-01", 10.0))]
}

fn criterion(metric: &str, unit: Unit, comparator: Comparator, pass: f64, warn: Option<f64>) -> Criterion {
    Criterion {
        metric: metric.to_owned(),
        unit,
        comparator,
        pass,
        warn,
        applies_to: Default::default(),
        behavior: Behavior::Hold,
        unknown: BTreeMap::new(),
    }
}

fn criteria(depth: f64) -> Criteria {
    use Comparator::{AtLeast, AtMost};
    Criteria {
        id: "wgs".into(),
        version: "7".into(),
        criteria: vec![
            criterion("mean_autosome_coverage", Unit::Depth, AtLeast, depth, Some(depth * 0.9)),
            criterion("pct_autosomes_15x", Unit::Percent, AtLeast, 95.0, Some(90.0)),
            criterion("pct_reads_mapped", Unit::Percent, AtLeast, 95.0, None),
            criterion("pct_reads_duplicate", Unit::Percent, AtMost, 15.0, Some(20.0)),
            criterion("cross_contamination_rate", Unit::Fraction, AtMost, 0.02, None),
            criterion("mean_insert_size", Unit::Bases, AtLeast, 250.0, None),
        ],
        unknown: BTreeMap::new(),
    }
}

fn control_criteria() -> Criteria {
    let depth = criterion("mean_autosome_coverage", Unit::Depth, Comparator::AtLeast, 25.0, None);
    Criteria { id: "control".into(), version: "2".into(), criteria: vec![depth], unknown: BTreeMap::new() }
}
