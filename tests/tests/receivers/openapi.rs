//! The descriptions of what receivers use, held against the routes of the source and against the answers of a door.
//!
//! Schemathesis makes requests out of a description and looks at every answer. `KENTAI_TEST_SCHEMATHESIS` is how many it makes for each
//! operation (some by default); one of its seeds is always the same, the other one is new and printed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_tests::receivers::Receivers;
use kentai_tests::{peer, root};
use rand::TryRngCore as _;
use serde_json::Value;

const DOCUMENT: &str = "/api/v1/openapi.json";
/// Requests of each operation, when nobody says how many.
const EXAMPLES: &str = "15";
const SEED: u64 = 20_261_126;

/// `GET /deliveries/{delivery}` …, as a router's source has them.
fn routes(file: &str, before: &str, only: &str) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join(file))?;
    let mut found = BTreeSet::new();
    for part in text.split(".route(").skip(1) {
        let path = part.split('"').nth(1).context("a path")?;
        let methods = part.split_once(',').context("methods")?.1.lines().next().unwrap_or_default();
        for method in ["get", "post", "put", "delete", "patch"] {
            if path.starts_with(only) && methods.contains(&format!("{method}(")) {
                // A description has no word for a path of several parts.
                found.insert(format!("{method} {before}{}", path.replace("{*", "{")));
            }
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_receivers_is_described_and_nothing_else() -> Result<()> {
    let site = Receivers::open().await?;
    // Nobody's secret.
    let document: Value = serde_json::from_str(&site.door.curl("", DOCUMENT, &["--fail"])?)?;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        let methods = item.as_object().context("methods")?.keys();
        described.extend(methods.filter(|method| *method != "head").map(|method| format!("{method} {path}")));
    }
    let mut known = routes("web/src/api/v1.rs", "/api/v1", "/offers")?;
    known.extend(routes("web/src/packages.rs", "", "/deliveries")?);
    known.insert(format!("get {DOCUMENT}"));
    ensure!(known.len() > 5, "{known:?}");
    ensure!(described == known, "the two differ: {:?}", described.symmetric_difference(&known));
    if let Some(program) = peer("openapi-spec-validator")? {
        let place = site.door.place("openapi")?.join("openapi.json");
        std::fs::write(&place, document.to_string())?;
        let output = Command::new(program).arg(&place).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    site.check().await
}

/// Runs schemathesis with both seeds over a description at an address.
async fn schemathesis(site: &Receivers, description: &Path, base: &str, config: &str) -> Result<()> {
    let Some(program) = peer("schemathesis")? else { return Ok(()) };
    let place = site.door.place("schemathesis")?;
    let settings = place.join("schemathesis.toml");
    std::fs::write(&settings, config)?;
    let examples = std::env::var("KENTAI_TEST_SCHEMATHESIS").unwrap_or_else(|_| EXAMPLES.into());
    for seed in [SEED, u64::from(rand::rngs::OsRng.try_next_u32()?)] {
        eprintln!("schemathesis with seed {seed}");
        let mut command = Command::new(&program);
        command.arg("--config-file").arg(&settings).arg("run").arg(description).args(["--url", base]);
        command.args(["--checks", "all", "--max-examples", &examples, "--seed", &seed.to_string()]);
        command.args(["--header", &site.door.bearer("dc1")?, "--no-color", "--continue-on-failure"]);
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", place.join("hypothesis")).current_dir(&place);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last: Vec<&str> = said.lines().rev().take(12).collect();
        eprintln!("{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        ensure!(output.status.success(), "seed {seed}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Ids that are there, so that more than 404 is answered.
fn known(pairs: &[(&str, &str)]) -> String {
    let lines = pairs.iter().map(|(name, value)| format!("\"{name}\" = {value}\n"));
    format!("[parameters]\n{}", lines.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_api_answers_as_its_description_says() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, _) = site.offered("S1", "calls\n").await?;
    let description = site.door.place("openapi")?.join("openapi.json");
    std::fs::write(&description, site.door.curl("", DOCUMENT, &["--fail"])?)?;
    // A request that waits for news would wait.
    schemathesis(&site, &description, &site.door.base(), &known(&[("query.wait", "0")])).await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn drs_answers_as_ga4gh_describes_it() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (_, file) = super::drs::ids(&site, &id, "data/S1.vcf")?;
    ensure!(site.door.status("dc1", &format!("/ga4gh/drs/v1/objects/{file}"), &[])?.0 == 200);
    let description = root().join("tests/fixtures/drs/data_repository_service.json");
    schemathesis(&site, &description, &format!("{}/ga4gh/drs/v1", site.door.base()), "").await?;
    site.check().await
}
