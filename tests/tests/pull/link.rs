//! Genomes and phenopackets of the same pseudonyms. What a phenopacket is, the reference package for Python says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::handoff::offer::Status;
use kentai_tests::{peer, tool};
use serde_json::{Value, json};

use super::Client;
use super::center::Center;
use super::package::{Package, Recipe};

fn phenopacket(id: &str, subject: &str) -> Value {
    json!({
        "id": id,
        "subject": { "id": subject, "sex": "FEMALE", "timeAtLastEncounter": { "age": { "iso8601duration": "P14Y" } } },
        "phenotypicFeatures": [{ "type": { "id": "HP:0001250", "label": "Seizure" } }],
        "metaData": {
            "created": "2026-11-01T00:00:00Z", "createdBy": "clinic", "phenopacketSchemaVersion": "2.0",
            "resources": [{ "id": "hp", "name": "HPO", "url": "http://purl.obolibrary.org/obo/hp.owl",
                "version": "2026-01-01", "namespacePrefix": "HP", "iriPrefix": "http://purl.obolibrary.org/obo/HP_" }],
        },
    })
}

fn package<'a>(
    delivery: &'a str,
    participant: &'a str,
    made: i64,
    uses: &'a [&'a str],
    consent: &'a str,
) -> Result<Package> {
    let payload = vec![("a.txt", b"a".to_vec(), None)];
    Package::of(Recipe { delivery, participant, uses, consent, payload, made, ..Recipe::default() })
}

fn index(client: &Client) -> Result<BTreeMap<String, Value>> {
    let text = fs::read_to_string(client.pulled("link.jsonl"))?;
    let lines = text.lines().map(|line| {
        let value: Value = serde_json::from_str(line)?;
        Ok((value["participant"].as_str().context("a pseudonym")?.to_owned(), value))
    });
    lines.collect()
}

#[test]
fn who_has_what_and_what_consent_allows() -> Result<()> {
    let center = Center::start()?;
    let recalled = package("d6", "P6", 0, &["research_domestic"], "given")?;
    for it in [
        package("d1", "P1", 0, &["research_domestic", "industry"], "given")?,
        // Narrowed since.
        package("d2", "P1", 9, &["research_domestic"], "partial")?,
        package("d3", "P2", 0, &["industry"], "given")?,
        package("d4", "P3", 0, &["research_domestic"], "withdrawn")?,
        recalled.clone(),
    ] {
        center.offer(&it);
    }
    let client = Client::at(&center.address(), &[])?;
    client.well(&["get", "--all"])?;
    center.now(&recalled, Status::Recalled);
    // The center's newest word takes a use away.
    let mut narrowed = package("d5", "P5", 0, &["research_domestic"], "given")?;
    center.offer(&narrowed);
    client.well(&["get", "--all"])?;
    narrowed.detail.offer.uses.clear();
    center.offer(&narrowed);
    // Offered, and never pulled.
    center.offer(&package("d7", "P7", 0, &["research_domestic"], "given")?);
    client.well(&["list"])?;
    let records = client.path("records");
    fs::create_dir(&records)?;
    for (id, subject) in [("a", "P1"), ("b", "P3"), ("c", "P4")] {
        fs::write(records.join(format!("{id}.json")), phenopacket(id, subject).to_string())?;
    }
    let lines = format!("{}\n\n{}\nnonsense\n", phenopacket("e", "P5"), phenopacket("a", "P9"));
    fs::write(records.join("more.jsonl"), lines)?;
    std::os::unix::fs::symlink("/etc/passwd", records.join("link.json"))?;
    let told = client.run(&["link", "records", "--use", "research_domestic", "--json", "--csv", "list.csv"])?;
    ensure!(told.code == 3, "{}: {}", told.code, told.err);
    let found: Value = serde_json::from_str(&told.out)?;
    let allowed: Vec<&str> = found["participants"]
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|it| it["participant"].as_str())
        .collect();
    ensure!(allowed == ["P1"], "{allowed:?}");
    let bad = found["bad"].to_string();
    for words in ["link.json", "\"line\":3", "\"line\":4", "another phenopacket"] {
        ensure!(bad.contains(words), "{words}: {bad}");
    }
    ensure!(found["bad"].as_array().map(Vec::len) == Some(3), "{bad}");
    let index = index(&client)?;
    let has = |pseudonym: &str| index.get(pseudonym).map(|one| one["has"].as_str().unwrap_or_default());
    let all = ["P1", "P2", "P3", "P4", "P5", "P6", "P7"].map(|one| has(one).unwrap_or("not known"));
    ensure!(all == ["both", "genome", "both", "clinical", "both", "neither", "neither"], "{all:?}");
    ensure!(index["P1"]["uses"] == json!(["research_domestic"]), "{}", index["P1"]);
    ensure!(index["P3"]["why_none"] == "consent is withdrawn" && index["P3"]["uses"] == json!([]));
    ensure!(index["P5"]["uses"] == json!([]) && index["P6"]["uses"] == json!([]));
    ensure!(index["P2"]["uses"] == json!(["industry"]) && index["P4"]["uses"] == json!([]));
    let table = fs::read_to_string(client.path("list.csv"))?;
    ensure!(table.lines().count() == 2 && table.contains("P1,both,research_domestic,d1 d2"), "{table}");
    Ok(())
}

/// Counts by Python's own sqlite3: the four groups, and what consent allows.
const COUNT: &str = r#"
import json, sqlite3, sys
index = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
assert index.execute("pragma integrity_check").fetchone() == ("ok",) and not index.execute("pragma foreign_key_check").fetchall()
rows = lambda sql: [list(row) for row in index.execute(sql)]
print(json.dumps({
    "layout": rows("select value from about where key = 'kentai_link_index'"),
    "has": dict(index.execute("select has, count(*) from participant group by has")),
    "research": rows("select participant from participant_use where use = 'research' order by participant"),
    "why": dict(index.execute("select participant, why_none from participant where why_none is not null")),
    "deliveries": rows("select d.delivery, d.participant, d.folder, u.use from delivery d left join delivery_use u using (delivery) order by 1, 4"),
    "records": rows("select id, participant, file, line from phenopacket order by id"),
}))
"#;

#[test]
fn another_program_reads_the_index_in_sql_and_counts_the_four_groups() -> Result<()> {
    let center = Center::start()?;
    for it in [
        package("d1", "P1", 0, &["research", "industry"], "given")?,
        package("d2", "P2", 0, &["industry"], "given")?,
        package("d3", "P3", 0, &["research"], "withdrawn")?,
    ] {
        center.offer(&it);
    }
    let client = Client::at(&center.address(), &[])?;
    client.well(&["get", "--all"])?;
    center.offer(&package("d4", "P4", 0, &["research"], "given")?);
    client.well(&["list"])?;
    let records = client.path("records");
    fs::create_dir(&records)?;
    fs::write(records.join("a.json"), phenopacket("a", "P1").to_string())?;
    fs::write(records.join("more.jsonl"), format!("\n{}\n{}\n", phenopacket("b", "P1"), phenopacket("c", "P5")))?;
    fs::write(client.path("link.sqlite"), "not a database: it is replaced whole")?;
    let told = client.well(&["link", "records", "--use", "research", "--sqlite", "link.sqlite"])?;
    ensure!(
        told.err.contains("`subject.id` P1 is in 2 phenopackets: `a` (a.json), `b` (more.jsonl, line 2)"),
        "{}",
        told.err
    );
    let python = peer("python3")?.map_or_else(|| "python3".into(), |path| path.to_string_lossy().into_owned());
    let counted: Value = serde_json::from_str(&tool(&python, &["-c", COUNT, "link.sqlite"], client.directory.path())?)?;
    let wanted = json!({
        "layout": [["1"]],
        "has": { "both": 1, "genome": 2, "clinical": 1, "neither": 1 },
        "research": [["P1"]],
        "why": {
            "P3": "consent is withdrawn", "P4": "no delivery that stands is here", "P5": "no delivery says what is allowed",
        },
        "deliveries": [
            ["d1", "P1", "S1_d1", "industry"], ["d1", "P1", "S1_d1", "research"], ["d2", "P2", "S1_d2", "industry"],
            ["d3", "P3", "S1_d3", "research"], ["d4", "P4", null, null],
        ],
        "records": [
            ["a", "P1", "a.json", null], ["b", "P1", "more.jsonl", 2], ["c", "P5", "more.jsonl", 3],
        ],
    });
    ensure!(counted == wanted, "{counted:#}");
    // Nothing is left beside it, and a place that cannot be written changes nothing.
    let beside: Vec<_> = fs::read_dir(client.directory.path())?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(!beside.iter().any(|name| name.to_string_lossy().contains("journal")), "{beside:?}");
    let told = client.run(&["link", "records", "--sqlite", "no/such/link.sqlite"])?;
    ensure!(told.code != 0 && told.err.contains("no/such"), "{}: {}", told.code, told.err);
    Ok(())
}

#[test]
fn a_package_that_was_changed_allows_nothing() -> Result<()> {
    let center = Center::start()?;
    center.offer(&package("d1", "P1", 0, &["industry"], "given")?);
    let client = Client::at(&center.address(), &[])?;
    client.well(&["get", "--all"])?;
    let path = client.pulled("packages/S1_d1/data/delivery.json");
    fs::write(&path, fs::read_to_string(&path)?.replace("industry", "research"))?;
    fs::create_dir(client.path("records"))?;
    let told = client.run(&["link", "records"])?;
    ensure!(told.code == 3 && told.err.contains("not what was pulled"), "{}: {}", told.code, told.err);
    ensure!(index(&client)?["P1"]["uses"] == json!([]));
    Ok(())
}

/// Whether the reference reads each file, by name.
fn reference(python: &Path, directory: &Path) -> Result<BTreeMap<String, bool>> {
    const SCRIPT: &str = "
import json, pathlib, sys
from google.protobuf.json_format import Parse, ParseError
from phenopackets import Phenopacket
verdicts = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob('*.json')):
    try:
        Parse(path.read_bytes(), Phenopacket())
        verdicts[path.name] = True
    except (ParseError, UnicodeDecodeError):
        verdicts[path.name] = False
print(json.dumps(verdicts))
";
    let python = python.to_str().context("a path in UTF-8")?;
    Ok(serde_json::from_str(&tool(python, &["-c", SCRIPT, "records"], directory)?)?)
}

#[test]
fn what_the_reference_does_not_read_is_bad_here_too() -> Result<()> {
    let Some(python) = peer("python3")? else { return Ok(()) };
    let client = Client::at(&Center::start()?.address(), &[])?;
    let records = client.path("records");
    fs::create_dir(&records)?;
    let with = |key: &str, value: Value| {
        let mut packet = phenopacket(key, "P1");
        packet[key] = value;
        packet.to_string()
    };
    let subject = |key: &str, value: Value| {
        let mut packet = phenopacket(&format!("subject-{key}-{value}"), "P1");
        packet["subject"][key] = value;
        packet.to_string()
    };
    let snake =
        phenopacket("snake", "P1").to_string().replace("metaData", "meta_data").replace("createdBy", "created_by");
    let cases: Vec<(&str, String)> = vec![
        ("plain", phenopacket("plain", "P1").to_string()),
        ("snake", snake),
        ("null", with("diseases", Value::Null)),
        ("number-sex", subject("sex", json!(1))),
        ("unknown-field", with("genes", json!([]))),
        ("kind-of-list", with("files", json!({}))),
        ("kind-of-item", with("biosamples", json!([1]))),
        ("kind-of-meta", with("metaData", json!("x"))),
        ("number-id", subject("id", json!({}))),
        ("other-sex", subject("sex", json!("WOMAN"))),
        ("unknown-in-subject", subject("name", json!("Hanako"))),
        (
            "no-time",
            with("metaData", json!({ "created": "yesterday", "createdBy": "x", "phenopacketSchemaVersion": "2.0" })),
        ),
        ("twice", phenopacket("twice", "P1").to_string().replacen('{', "{\"id\":\"other\",", 1)),
        (
            "twice-within",
            phenopacket("within", "P1").to_string().replace("\"createdBy\"", "\"createdBy\":\"x\",\"createdBy\""),
        ),
        ("cut", phenopacket("cut", "P1").to_string()[..100].to_owned()),
        ("list", "[1]".to_owned()),
        ("subject-list", with("subject", json!(["P1"]))),
        ("meta-list", with("metaData", json!(["2026-11-01T00:00:00Z", "x", "x", [], [], "2.0", []]))),
    ];
    for (name, text) in &cases {
        fs::write(records.join(format!("{name}.json")), text)?;
    }
    let told = client.run(&["link", "records", "--json"])?;
    let found: Value = serde_json::from_str(&told.out)?;
    let bad: Vec<&str> =
        found["bad"].as_array().context("a list")?.iter().filter_map(|it| it["file"].as_str()).collect();
    let reference = reference(&python, client.directory.path())?;
    ensure!(
        reference.len() == cases.len() && reference.values().filter(|is_read| **is_read).count() >= 4,
        "{reference:?}"
    );
    for (name, is_read) in &reference {
        ensure!(
            *is_read != bad.contains(&name.as_str()),
            "{name}: the reference reads it: {is_read}; {}",
            found["bad"]
        );
    }
    Ok(())
}
