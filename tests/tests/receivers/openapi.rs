//! The descriptions of what receivers use, held against the routes of the source and against the answers of a door.
//!
//! Schemathesis makes requests out of a description and looks at every answer. `KENTAI_TEST_SCHEMATHESIS` is how many it makes for each
//! operation (some by default); one of its seeds is always the same, the other one is new and printed. Each description is asked as it
//! is, which mostly finds what is not there, and narrowed to names that are there: then all of its operations must have found something.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_tests::receivers::Receivers;
use kentai_tests::{peer, root};
use rand::TryRngCore as _;
use serde_json::{Value, json};

use super::drs::{BASE, ids};

const DOCUMENT: &str = "/api/v1/openapi.json";
/// Requests of each operation, when nobody says how many.
const EXAMPLES: &str = "15";
const SEED: u64 = 20_261_126;

/// `GET /deliveries/{delivery}` …, as a router's source has them.
pub(crate) fn routes(file: &str, before: &str, only: &str) -> Result<BTreeSet<String>> {
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

/// Runs schemathesis with both seeds over a description at an address, as somebody whose token the door knows.
pub(crate) async fn schemathesis(
    site: &Receivers,
    who: &str,
    description: &Path,
    under: &str,
    config: &str,
) -> Result<()> {
    let Some(program) = peer("schemathesis")? else { return Ok(()) };
    let place = site.door.place("schemathesis")?;
    let settings = place.join("schemathesis.toml");
    std::fs::write(&settings, config)?;
    let examples = std::env::var("KENTAI_TEST_SCHEMATHESIS").unwrap_or_else(|_| EXAMPLES.into());
    for seed in [SEED, u64::from(rand::rngs::OsRng.try_next_u32()?)] {
        eprintln!("schemathesis with seed {seed}");
        let mut command = Command::new(&program);
        command
            .arg("--config-file")
            .arg(&settings)
            .arg("run")
            .arg(description)
            .args(["--url", &format!("{}{under}", site.door.base())]);
        command.args(["--checks", "all", "--max-examples", &examples, "--seed", &seed.to_string()]);
        command.args(["--header", &site.door.bearer(who)?, "--no-color", "--continue-on-failure"]);
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", place.join("hypothesis")).current_dir(&place);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = !said.contains("Missing test data") || !description.ends_with("narrow.json");
        ensure!(output.status.success() && found, "seed {seed}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Puts `value` at this place of a description.
pub(crate) fn put(description: &mut Value, pointer: &str, value: Value) -> Result<()> {
    let (parent, name) = pointer.rsplit_once('/').context("a place")?;
    let parent = description.pointer_mut(parent).with_context(|| format!("the description has no {parent}"))?;
    parent.as_object_mut().context("an object")?.insert(name.to_owned(), value);
    Ok(())
}

/// A request that waits for news would wait; and a range that is one may lie behind a file's end, which is no mistake of either side.
const SETTINGS: &str = "[parameters]
\"query.wait\" = 0
[checks]
positive_data_acceptance.expected-statuses = [\"2xx\", \"3xx\", \"401\", \"403\", \"404\", \"409\", \"416\"]
";

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_api_answers_as_its_description_says() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let place = site.door.place("openapi")?;
    let (whole, narrow) = (place.join("openapi.json"), place.join("narrow.json"));
    let text = site.door.curl("", DOCUMENT, &["--fail"])?;
    std::fs::write(&whole, &text)?;
    let mut description: Value = serde_json::from_str(&text)?;
    let paths = ["bagit.txt", "data/S1.vcf", "data/", "fetch.txt"];
    for (pointer, value) in [
        ("/components/parameters/Id/schema/enum", json!([id])),
        ("/components/parameters/Delivery/schema/enum", json!([id, format!("{id}.meta4")])),
        ("/components/parameters/Path/schema/enum", json!(paths)),
        // Two words about one file, and a signature that is none, are refused, which no schema can say.
        ("/components/schemas/Receipt/properties/files/maxItems", json!(1)),
        ("/components/schemas/Receipt/properties/signature", json!({ "type": "null" })),
        ("/components/schemas/Accepted/properties/path/enum", json!(["data/S1.vcf"])),
        ("/components/schemas/Refused/properties/path/enum", json!(["data/S1.txt", "data/S1.vcf"])),
    ] {
        put(&mut description, pointer, value)?;
    }
    std::fs::write(&narrow, description.to_string())?;
    schemathesis(&site, "dc1", &whole, "", SETTINGS).await?;
    schemathesis(&site, "dc1", &narrow, "", SETTINGS).await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn drs_answers_as_ga4gh_describes_it() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let found = site.door.json("dc1", &format!("{BASE}/objects/{delivery}"))?;
    let specimen = found["aliases"][1].as_str().context("a specimen")?;
    let whole = root().join("tests/fixtures/drs/data_repository_service.json");
    let narrow = site.door.place("openapi")?.join("narrow.json");
    let mut description: Value = serde_json::from_str(&std::fs::read_to_string(&whole)?)?;
    let objects = json!({ "bulk_object_ids": [file, delivery, specimen, "none"] });
    let any = json!({ "name": "object_id", "in": "path", "required": true, "schema": { "type": "string" } });
    let accesses =
        json!({ "bulk_object_access_ids": [{ "bulk_object_id": file, "bulk_access_ids": ["https", "s3"] }] });
    for (pointer, value) in [
        ("/components/parameters/ObjectId/schema/enum", json!([file, delivery, specimen])),
        ("/components/parameters/AccessId/schema/enum", json!(["https"])),
        // How somebody may say who they are is told of every id.
        ("/paths/~1objects~1{object_id}/options/parameters", json!([any])),
        ("/paths/~1objects/post/requestBody/content/application~1json/example", objects.clone()),
        ("/paths/~1objects/options/requestBody/content/application~1json/example", objects),
        ("/paths/~1objects~1access/post/requestBody/content/application~1json/example", accesses),
    ] {
        put(&mut description, pointer, value)?;
    }
    std::fs::write(&narrow, description.to_string())?;
    schemathesis(&site, "dc1", &whole, BASE, "").await?;
    schemathesis(&site, "dc1", &narrow, BASE, "").await?;
    site.check().await
}
