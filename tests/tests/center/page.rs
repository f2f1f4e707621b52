//! One specimen's page: it tells everything that the log knows, in both languages, and nothing that people wrote becomes markup.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{Answer, AnswerKind};
use kentai_engine::specimen::import::Table;
use kentai_engine::specimen::record::{Assay, Consent};
use kentai_tests::house::{Act, House, person, workflow};
use kentai_tests::receivers::Door;
use kentai_tests::tool;
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::desk::{Center, officer};

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;
/// 18 October 2024, 00:12 UTC.
const BEGAN_US: i64 = 1_729_210_320_000_000;
/// Breaks out of text, attributes and scripts alike.
const HOSTILE: &str = "\"'><script>alert(1)</script>{{7*7}}";

fn steps() -> String {
    workflow(
        "  trim:
    resources: { memory: 1 GiB }
    retry: { attempts: 2, causes: [out_of_memory], wait: { first: 0s, max: 0s }, escalate: { memory: x2 } }
    outputs: { m: { path: t.json } }
    script: x
  align:
    after: [trim]
    outputs: { m: { path: a.json, keep: true } }
    script: x
  depth:
    after: [align]
    gate:
      read: { mean_autosome_coverage: { from: steps.align.m, at: $.depth }, pct_reads_duplicate: { from: steps.align.m, at: $.dup } }
      checks:
        - { metric: mean_autosome_coverage, pass: \">= 30\", missing: not_measured }
        - { metric: pct_reads_duplicate, pass: \"<= 15\", warn: \"<= 20\", missing: not_measured }
      if_warn: hold
      if_fail: hold
  review:
    after: [depth]
    approve: { ask: { en: \"Release?\" }, roles: [releaser], not_by: [previous_decider] }
  give:
    after: [review]
    handoff: { to: dc1, files: [\"${{ steps.align.m }}\"] }
",
    )
}

/// A center at which months pass, its page on a socket, and the words that people add to everything they write.
struct Told {
    center: Center,
    door: Door,
    clock: Clock,
    more: String,
    _page: DropGuard,
}

impl Told {
    async fn open(more: &str) -> Result<Self> {
        let clock = Clock::standing_at(BEGAN_US);
        let center = Center::open_at(&steps(), clock.clone()).await?;
        let door = Door::open(&center.house).await?;
        let page = serve(&center.house)?;
        Ok(Self { center, door, clock, more: more.to_owned(), _page: page })
    }

    fn said(&self, text: &str) -> String {
        format!("{text}{}", self.more)
    }

    /// Status and text of a page.
    fn page(&self, path: &str, language: &str) -> Result<(u16, String)> {
        let socket = self.center.house.directory.path().join("page.sock").to_string_lossy().into_owned();
        let header = format!("Accept-Language: {language}");
        let url = format!("http://kentai{path}");
        let arguments =
            ["--silent", "--unix-socket", &socket, "--header", &header, "--write-out", "\n%{http_code}", &url];
        let told = tool("curl", &arguments, Path::new("/"))?;
        let (text, status) = told.rsplit_once('\n').context("a status")?;
        Ok((status.parse()?, text.to_owned()))
    }

    fn shown(&self, path: &str, language: &str) -> Result<String> {
        let (status, text) = self.page(path, language)?;
        ensure!(status == 200, "{path}: {status} {text}");
        Ok(text)
    }

    /// From the manifest to the bench.
    async fn arrives(&self) -> Result<(String, String)> {
        let center = &self.center;
        let institution = [("code", "H1"), ("name", &self.said("Hospital H-017")), ("role", "sender")];
        center.import(Table::Institutions, &[&institution], "").await?;
        let assay =
            Assay { workflow: "test".into(), reads_ordered: 600_000_000, reads_percent: 100.0, ..Assay::default() };
        center.assay("2", assay).await?;
        let cells = [
            ("shipment", "SH-0912"),
            ("barcode", "０１７-0093412"),
            ("pseudonym", "P-7QX2"),
            ("program", "rare"),
            ("assay", "wgs@2"),
            ("family", &self.said("F-0311")),
            ("family_role", "proband"),
            ("specimen_type", "blood"),
            ("amount", &self.said("2.0 mL")),
            ("requisition", &self.said("R-1")),
        ];
        let answer = center.import(Table::Shipment, &[&cells], "H1").await?;
        let order = answer.changed.iter().find_map(|said| said.strip_prefix("order_line ")).context("an order line")?;
        let specimen =
            center.house.sql(&format!("select specimen_id from order_line where order_line_id = '{order}'"))?;
        self.clock.advance(3 * DAY_US);
        let consent = Consent {
            document: self.said("C-11873"),
            document_version: "3".into(),
            scopes: vec!["sequencing".into(), "research".into()],
            effective_us: BEGAN_US,
            evidence: "shelf 1".into(),
            ..Consent::default()
        };
        let (program, pseudonym, status) = ("rare".into(), "P-7QX2".into(), "given".into());
        let ops = person("ops-02", "operator");
        center.ask(Request::Consent { program, pseudonym, consent, status }, &ops).await?;
        let (institution, condition) = ("H1".into(), String::new());
        let barcode = "017-0093412".into();
        let note = self.said("box B-2207, position C4");
        center.ask(Request::Receive { barcode, institution, condition, note }, &ops).await?;
        self.clock.advance(2 * MINUTE_US);
        center.ask(Request::Accession { specimen: specimen.clone() }, &ops).await?;
        self.clock.advance(22 * HOUR_US);
        let (order_line, event, reason) = (order.to_owned(), "lab_started".into(), String::new());
        center.ask(Request::Report { order_line, event, reason }, &ops).await?;
        self.clock.advance(HOUR_US);
        center.ask(Request::Hold { order_line: order.into(), reason: self.said("kit recall") }, &ops).await?;
        self.clock.advance(2 * HOUR_US);
        center.ask(Request::Resume { order_line: order.into() }, &ops).await?;
        let request = Request::Custody {
            specimen: specimen.clone(),
            event: "packed".into(),
            holder: self.said("Biobank B-01"),
            transfer: "T-7".into(),
            accession: String::new(),
            receipt: String::new(),
        };
        center.ask(request, &ops).await?;
        let request = Request::Deviation {
            specimen: specimen.clone(),
            about: "freezer 3".into(),
            description: self.said("door was open"),
            severity: "minor".into(),
        };
        center.ask(request, &ops).await?;
        Ok((specimen, order.to_owned()))
    }

    /// A shortfall, and more of the same library.
    async fn is_sequenced(&self, specimen: &str, order: &str) -> Result<()> {
        let center = &self.center;
        self.clock.advance(8 * DAY_US);
        let (order_line, event, reason) = (order.to_owned(), "sequencing_started".into(), String::new());
        center.ask(Request::Report { order_line, event, reason }, &person("ops-02", "operator")).await?;
        self.clock.advance(2 * DAY_US);
        center.lane("241030_N02_0314", "3", specimen, "571800000").await?;
        self.clock.advance(4 * HOUR_US);
        let request = Request::Decide {
            order_line: order.into(),
            way: "top_up".into(),
            code: self.said("TOPUP-READS"),
            reason: self.said("Library has volume left; reads add up."),
        };
        center.ask(request, &person("rev-02", "reviewer")).await?;
        self.clock.advance(6 * DAY_US);
        center.house.hands.plan("trim", [Act::OutOfMemory, Act::Well]);
        center.house.hands.plan("align", [Act::Make(vec![("a.json", "{\"depth\": 31.4, \"dup\": 16.4}".into())])]);
        center.lane("241106_N01_0316", "7", specimen, "48400000").await?;
        center.until_stage(order, "analysis_qc_failed").await
    }

    /// A warning that somebody lets pass, two releasers, a receipt.
    async fn is_handed_off(&self, order: &str) -> Result<String> {
        let (center, hour) = (&self.center, HOUR_US);
        let run = RunId::from(center.run(order)?);
        self.clock.advance(7 * hour);
        let answer = |verdict: &str, reason: &str| Answer {
            kind: if verdict == "approve" { AnswerKind::Approve } else { AnswerKind::Qc },
            verdict: verdict.into(),
            reason: self.said(reason),
        };
        let handle = center.house.handle();
        let duplicates = answer("release", "Duplicates come from the topped-up lane.");
        handle.answer(&run, "depth", &person("rev-02", "reviewer"), duplicates).await?;
        center.until_stage(order, "release_review").await?;
        // Who let the warning pass is one of the two.
        self.clock.advance(5 * hour);
        handle.answer(&run, "review", &person("rel-01", "releaser"), answer("approve", "seen")).await?;
        center.until_stage(order, "offered").await?;
        let rows = center.house.handle().reader().deliveries_of(run.as_str()).await?;
        let id = rows.last().context("a delivery")?.delivery_id.to_string();
        self.clock.advance(hour);
        let offer = self.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
        let mut files = Vec::new();
        for entry in offer["entries"].as_array().context("entries")? {
            let path = entry["path"].as_str().context("a path")?;
            if path.starts_with("data/") {
                self.door.curl(
                    "dc1",
                    entry["url"].as_str().context("an address")?,
                    &["--fail", "--output", "/dev/null"],
                )?;
                let accession = self.said("ACC-0051");
                files.push(
                    json!({ "path": path, "outcome": "accepted", "sha256": entry["sha256"], "accession": accession }),
                );
            }
        }
        center.until_stage(order, "delivered").await?;
        self.clock.advance(14 * hour);
        let receipt = json!({ "receipt": self.said("RC-0179-1"), "files": files }).to_string();
        let (status, said) = self.door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &receipt)?;
        ensure!(status == 200, "{status} {said}");
        center.until_stage(order, "acknowledged").await?;
        self.clock.advance(DAY_US);
        Ok(id)
    }
}

/// The page on a socket; whoever connects is somebody of the center with every role.
fn serve(house: &House) -> Result<DropGuard> {
    let everybody = Actor {
        name: "ops-07".into(),
        roles: ["operator", "reviewer", "releaser", "auditor", "withdrawal_officer"].map(str::to_owned).into(),
        ..Actor::default()
    };
    let people: kentai_web::People = Arc::new(move |_| Some(everybody.clone()));
    let router = kentai_web::router(house.handle().clone(), people, kentai_web::TimeZone::UTC);
    let listener = kentai_web::bind(&house.directory.path().join("page.sock"))?;
    let token = CancellationToken::new();
    tokio::spawn(kentai_web::serve(listener, router, token.clone()));
    Ok(token.drop_guard())
}

/// A text with its tags taken out, and what stands for a letter put back.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    let text = text.replace('\u{a0}', " ").replace("&#39;", "'").replace("&#34;", "\"").replace("&#62;", ">");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_a_specimen_from_its_shipment_to_its_accession() -> Result<()> {
    let told = Told::open("").await?;
    let (specimen, order) = told.arrives().await?;
    told.is_sequenced(&specimen, &order).await?;
    let held = told.shown(&format!("/specimens/{specimen}"), "en")?;
    ensure!(held.contains("/hold?line=") && plain(&held).contains("Analysis QC failed"), "{held}");
    let delivery = told.is_handed_off(&order).await?;
    let html = told.shown(&format!("/specimens/{specimen}"), "en")?;
    let text = plain(&html);
    let run = told.center.run(&order)?;
    // In this order, each once, as the log has it.
    let headings = [
        "Expected",
        "Received",
        "Accessioned",
        "In lab",
        "Sequencing",
        "Sequence QC failed",
        "Awaiting top-up",
        "Sequenced",
        "Ready",
        "Analyzing",
        "Analysis QC failed",
        "Release review",
        "Released",
        "Offered, then delivered",
        "Acknowledged",
        "Archived",
    ];
    let found: Vec<String> =
        html.split("<h3>").skip(1).map(|rest| plain(rest.split(['<']).next().unwrap_or_default())).collect();
    ensure!(found == headings, "{found:?}");
    for wanted in [
        "Blood from Hospital H-017, ordered as wgs@2. Received 21 Oct, topped up once, released 7 Nov.",
        "dc1 acknowledged 6 files on 8 Nov, 20 d before the due date.",
        "In shipment SH-0912 from Hospital H-017, 1 tube. Participant P-7QX2, proband of family F-0311.",
        "０１７-0093412",
        "0170093412",
        "571.8 M",
        "≥ 600.0 M",
        "4.7 % short.",
        "rev-02 decided: top up",
        "Library has volume left; reads add up.",
        "TOPUP-READS",
        "620.2 M of 600.0 M needed.",
        "1 retry: out of memory",
        "Duplicate reads pct_reads_duplicate16.4≤ 20, warn 15Passed with warnings",
        "Lane 7 of run 241106_N01_0316: 48.4 M reads.",
        "Duplicates come from the topped-up lane.",
        "rel-01 said yes",
        "rev-02 decided: let it pass",
        "2 people",
        "6 of 6 files accepted",
        "ACC-0051",
        "RC-0179-1",
        "ops-02 held it",
        "kit recall",
        "Leftover: Packed, Biobank B-01, T-7.",
        "Deviation, minor: door was open",
        "6 d",
        &run,
        &delivery,
    ] {
        ensure!(text.contains(wanted), "no `{wanted}` in:\n{text}");
    }
    let sha256 = told.center.house.sql("select sha256 from package_file where path like 'data/%'")?;
    for sha256 in sha256.lines() {
        ensure!(html.matches(sha256).count() >= 2, "ours and the one that they computed, whole: {sha256}");
    }
    let japanese = told.shown(&format!("/specimens/{specimen}"), "ja")?;
    for wanted in ["シーケンスQC不合格", "受領確認済み", "判断：シーケンスを追加", "血液"] {
        ensure!(japanese.contains(wanted), "no `{wanted}` in:\n{}", plain(&japanese));
    }
    let proof = plain(&told.shown(&format!("/specimens/{specimen}/chain"), "en")?);
    ensure!(proof.contains("follows from the one before it"), "{proof}");
    let events = told.shown(&format!("/specimens/{specimen}/events"), "en")?;
    ensure!(plain(&events).contains("top_up_requested"), "{events}");
    let crate_ = told.shown(&format!("/specimens/{specimen}/provenance?line={order}"), "en")?;
    ensure!(crate_.contains("@context") && crate_.contains(&specimen), "{crate_}");
    for (q, place) in [
        (order.as_str(), format!("/order-lines/{order}")),
        ("0170093412", format!("/specimens/{specimen}")),
        ("０１７ 0093412", format!("/specimens/{specimen}")),
        (&run[..20], format!("/runs/{run}")),
        ("241030_N02", "/instrument-runs/241030_N02_0314".to_owned()),
        ("SH-0912", "/shipments/SH-0912".to_owned()),
        ("a.json", format!("/runs/{run}")),
        (&delivery, format!("/hand-off/{delivery}")),
    ] {
        let (status, text) = told.page(&format!("/search?q={}", encoded(q)), "en")?;
        ensure!(status == 303, "{q}: {status} {}", plain(&text));
        let to = told.redirect(&format!("/search?q={}", encoded(q)))?;
        ensure!(to == place, "{q} leads to {to} and not to {place}");
    }
    let near = plain(&told.shown("/search?q=17-0093412", "en")?);
    ensure!(near.contains("Nothing is found") && near.contains("leading zeros") && near.contains(&specimen), "{near}");
    let unbroken = told.center.house.sql("select count(*) from event")?;
    ensure!(unbroken.parse::<i64>()? > 60);
    Ok(())
}

impl Told {
    fn redirect(&self, path: &str) -> Result<String> {
        let socket = self.center.house.directory.path().join("page.sock").to_string_lossy().into_owned();
        let url = format!("http://kentai{path}");
        let told = tool("curl", &["--silent", "--head", "-X", "GET", "--unix-socket", &socket, &url], Path::new("/"))?;
        let line = told.lines().find_map(|line| line.strip_prefix("location: ")).context("a place")?;
        Ok(line.trim().to_owned())
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_people_or_files_say_becomes_markup_on_a_page() -> Result<()> {
    let told = Told::open(HOSTILE).await?;
    let (specimen, order) = told.arrives().await?;
    told.is_sequenced(&specimen, &order).await?;
    let hold = Request::Hold { order_line: order.clone(), reason: told.said("wait") };
    told.center.ask(hold, &person("ops-02", "operator")).await?;
    let pages = |more: &[&str]| -> Result<()> {
        let fixed = [
            format!("/specimens/{specimen}"),
            format!("/specimens/{specimen}/hold?line={order}"),
            format!("/specimens/{specimen}/events"),
            format!("/specimens/{specimen}/chain"),
            "/specimens".into(),
            "/order-lines".into(),
            "/order-lines?held=1".into(),
            "/instrument-runs".into(),
            "/instrument-runs/241030_N02_0314".into(),
            "/shipments".into(),
            "/shipments/SH-0912".into(),
            "/participants/rare/P-7QX2".into(),
            format!("/search?q={}", encoded(HOSTILE)),
        ];
        for path in fixed.iter().map(String::as_str).chain(more.iter().copied()) {
            for language in ["en", "ja"] {
                let html = told.shown(path, language)?;
                ensure!(!html.contains("<script>alert"), "{path}:\n{html}");
                ensure!(!html.contains("\"'>") && !html.contains("=\"\"'"), "{path} lets a quote out:\n{html}");
                ensure!(!html.contains("style=") && !html.contains(" onclick"), "{path}");
            }
        }
        Ok(())
    };
    pages(&[])?;
    let page = told.shown(&format!("/specimens/{specimen}"), "en")?;
    // It is there, and it is text.
    ensure!(page.matches("alert(1)").count() >= 10, "{}", plain(&page));
    told.center.ask(Request::Resume { order_line: order.clone() }, &person("ops-02", "operator")).await?;
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P-7QX2".into(),
        scopes: Vec::new(),
        evidence: told.said("letter 7"),
        noticed_us: None,
        reason: String::new(),
    };
    told.is_handed_off(&order).await?;
    pages(&[])?;
    told.center.ask(withdraw, &officer("sato")).await?;
    told.center.until_stage(&order, "withdrawn").await.or_else(|_| anyhow::Ok(()))?;
    pages(&[])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_changed_is_named_on_the_page() -> Result<()> {
    let told = Told::open("").await?;
    let (specimen, _) = told.arrives().await?;
    let path = format!("/specimens/{specimen}/chain");
    ensure!(plain(&told.shown(&path, "en")?).contains("follows from the one before it"));
    let seq = told.center.house.sql(&format!("select seq from event where stream = 'specimen:{specimen}' limit 1"))?;
    told.center.house.sql(&format!("update event set actor = 'somebody else' where seq = {seq}"))?;
    let found = plain(&told.shown(&path, "en")?);
    ensure!(found.contains("do not follow from the one before them") && found.contains(&seq), "{found}");
    Ok(())
}
