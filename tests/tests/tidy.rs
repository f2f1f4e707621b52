//! The rules of the house as tests: who may call whom, who owns which foreign crate, where types become serializable,
//! what is pure, how SQL is written, how big a room may grow.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

const ROOMS: [&str; 6] = ["workflows", "engine", "executors", "web", "cli", "tests"];

/// Every Rust file of the rooms' `src` folders: path relative to the root, and text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for room in ROOMS {
        walk(&root().join(room).join("src"), &mut found);
    }
    assert!(found.len() > 50, "the house has more files than {}", found.len());
    found
}

fn walk(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).expect("beneath the root").to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).expect("readable")));
        }
    }
}

/// Code without tests, comments and doc comments.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/") || name.starts_with("tests/")
}

#[test]
fn arrows_between_rooms_never_turn() {
    let allowed: [(&str, &[&str]); 6] = [
        ("workflows", &[]),
        ("engine", &["workflows"]),
        ("executors", &["workflows", "engine"]),
        ("web", &["workflows", "engine"]),
        ("cli", &["workflows", "engine", "executors", "web"]),
        ("tests", &["workflows", "engine", "executors", "web"]),
    ];
    for (room, may) in allowed {
        let manifest = fs::read_to_string(root().join(room).join("Cargo.toml")).expect("every room has a manifest");
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for other in ROOMS {
            let named = dependencies.contains(&format!("kentai-{other}.workspace"));
            assert!(!named || may.contains(&other), "{room} must not depend on {other}");
        }
    }
}

#[test]
fn each_foreign_crate_has_one_owner() {
    let owners: [(&str, &[&str]); 21] = [
        // `derive(JsonSchema)` stands where `derive(Serialize)` does, see below.
        ("schemars", &["web/src/openapi", "engine/src/id.rs", "engine/src/state.rs", "engine/src/people/secret.rs"]),
        ("askama", &["web/src/page"]),
        ("cookie", &["web/src/page"]),
        ("petgraph", &["engine/src/graph.rs", "workflows/src/graph", "workflows/src/check"]),
        // `derive(sqlx::Type)` on ids is the exception that the design names.
        ("sqlx", &["engine/src/store", "engine/src/id.rs"]),
        ("bollard", &["executors/src/docker"]),
        ("axum", &["web/src"]),
        ("prometheus_client", &["web/src/metrics"]),
        ("opentelemetry_proto", &["cli/src/telemetry/otlp/encode.rs"]),
        ("prost", &["cli/src/telemetry/otlp/encode.rs"]),
        ("granit_parser", &["workflows/src/document"]),
        ("minijinja", &["workflows/src/expression"]),
        ("serde_yaml", &["cli/src/config"]),
        ("quick_xml", &["engine/src/intake/xml.rs"]),
        ("x25519_dalek", &["engine/src/handoff/crypt4gh/key.rs"]),
        ("chacha20poly1305", &["engine/src/handoff/crypt4gh"]),
        ("blake2", &["engine/src/handoff/crypt4gh/packet.rs"]),
        ("lettre", &["executors/src/messenger/mail"]),
        ("openidconnect", &["web/src/auth/oidc"]),
        ("scrypt", &["engine/src/handoff/crypt4gh/keyfile/kdf.rs"]),
        ("pbkdf2", &["engine/src/handoff/crypt4gh/keyfile/kdf.rs"]),
    ];
    for (name, text) in sources() {
        let code = code(&text);
        for (foreign, homes) in owners {
            let derives = format!("use {foreign}::JsonSchema;");
            let used = code.replace(&derives, "").contains(&format!("{foreign}::"));
            let at_home = homes.iter().any(|home| name.starts_with(home));
            assert!(
                !used || at_home || is_test_file(&name),
                "{name} uses {foreign}, which belongs to {}",
                homes.join(", ")
            );
        }
    }
}

#[test]
fn types_become_serializable_only_at_a_border() {
    // File formats, the event log and rows, tasks as they are stored, wire views, the site file.
    let borders = [
        "workflows/src/plan.rs",
        "workflows/src/value.rs",
        "workflows/src/diagnostic",
        "workflows/src/document",
        // Lines of an export, and what is signed.
        "engine/src/audit/checkpoint.rs",
        "engine/src/audit/export.rs",
        "engine/src/audit/proof.rs",
        "engine/src/audit/verify.rs",
        "engine/src/exit_record.rs",
        // Documents of a package: what a receiver reads, and its older programs too.
        "engine/src/handoff/delivery.rs",
        "engine/src/handoff/qc.rs",
        // The wire between a center and a receiver.
        "engine/src/handoff/offer.rs",
        "engine/src/handoff/receipt.rs",
        "engine/src/handoff/receipt/proof.rs",
        "engine/src/id.rs",
        // What is known of a run folder is stored as a document.
        "engine/src/intake/",
        "engine/src/state.rs",
        // Records are stored as documents, with values and criteria in them; requests are the API's own objects.
        "engine/src/people/record.rs",
        "engine/src/people/secret.rs",
        "engine/src/qc/",
        "engine/src/scheduler/center/request",
        "engine/src/specimen/",
        "engine/src/port/",
        "engine/src/store/rows",
        "engine/src/scheduler/handle.rs",
        "engine/src/scheduler/live.rs",
        "engine/src/scheduler/post.rs",
        "engine/src/scheduler/why.rs",
        "engine/src/view",
        "executors/src/witness/",
        "executors/src/attempt/",
        "executors/src/collect/note.rs",
        "executors/src/courier/",
        "executors/src/docker/",
        // What is kept of a job, and what its keeper is told: read by a later engine.
        "executors/src/slurm/",
        "web/src/",
        "cli/src/config",
        "cli/src/site.rs",
        "cli/src/client",
        "cli/src/command/",
        "cli/src/demo",
        // The data center's side: its settings, what it knows, answers of a center, phenopackets and the index over them.
        "cli/src/pull/http.rs",
        "cli/src/pull/link",
        "cli/src/pull/settings.rs",
        "cli/src/pull/state.rs",
    ];
    for (name, text) in sources() {
        let derives = code(&text).lines().any(|line| {
            line.contains("derive(") && ["Serialize", "Deserialize", "JsonSchema"].iter().any(|one| line.contains(one))
        });
        let border = borders.iter().any(|border| name.starts_with(border));
        assert!(!derives || border || is_test_file(&name), "{name} derives serde, and is no border");
    }
}

#[test]
fn the_pure_rooms_have_no_clock_no_disk_and_no_await() {
    let impure = [
        "engine/src/store",
        "engine/src/scheduler",
        "engine/src/clock.rs",
        "engine/src/id.rs",
        "engine/src/port",
        "engine/src/view",
    ];
    for (name, text) in sources() {
        let pure = (name.starts_with("workflows/") || name.starts_with("engine/"))
            && !impure.iter().any(|room| name.starts_with(room));
        if !pure || is_test_file(&name) {
            continue;
        }
        let code = code(&text);
        for forbidden in
            ["std::fs", "SystemTime", "Instant::now", "async fn", ".await", "std::env", "std::process", "tokio::"]
        {
            assert!(!code.contains(forbidden), "{name} is pure and must not use {forbidden}");
        }
    }
}

#[test]
fn the_houses_pure_steps_await_nothing() {
    for name in
        ["advance.rs", "start.rs", "report.rs", "house.rs", "render.rs", "scope.rs", "why.rs", "delivery.rs", "live.rs"]
    {
        let text = fs::read_to_string(root().join("engine/src/scheduler").join(name)).expect("a file of the scheduler");
        assert!(!code(&text).contains(".await"), "scheduler/{name} decides and must not wait");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in sources() {
        let head = text.lines().next().unwrap_or_default();
        assert!(head.starts_with("//! ") && head.len() > 12, "{name} does not open with `//!` and a sentence");
    }
}

#[test]
fn nothing_is_left_undone() {
    // Spelled apart so that this file does not find itself.
    let marks = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME"), concat!("un", "safe {")];
    for (name, text) in sources() {
        for mark in marks {
            assert!(!text.contains(mark), "{name} holds {mark}");
        }
    }
}

#[test]
fn rooms_stay_rooms() {
    for (name, text) in sources() {
        let lines = code(&text).lines().count();
        assert!(lines <= 400 || is_test_file(&name), "{name} has {lines} lines of code: is there a door?");
    }
}

#[test]
fn sql_is_written_for_both_databases() {
    let directory = root().join("engine/src/store/sql");
    let mut seen = 0;
    for entry in fs::read_dir(directory).expect("the folder of queries").flatten() {
        let text = fs::read_to_string(entry.path()).expect("readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        seen += 1;
        assert!(text.starts_with("-- "), "{name} has no header");
        let (header, body) =
            text.split_at(text.lines().take_while(|line| line.starts_with("--")).map(|line| line.len() + 1).sum());
        let count = (1..).take_while(|n| body.contains(&format!("${n}"))).count();
        for n in 1..=count {
            assert!(header.contains(&format!("${n}")), "{name}: its header does not name ${n}");
        }
        assert!(!body.contains(&format!("${}", count + 2)), "{name}: its parameters have a gap");
        assert!(!body.contains('?'), "{name}: parameters are $1, $2 …");
        assert!(!body.to_lowercase().contains("rowid"), "{name}: rowid is SQLite's alone");
    }
    assert!(seen > 20, "found only {seen} queries");
}
