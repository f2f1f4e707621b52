//! Withdrawal: everything of that participant stops and closes, nothing of others is touched, two people decide.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{AnswerKind, Refusal};
use kentai_tests::house::{Act, file, operator, person, sha256, specimen};
use kentai_tests::tool;

use super::desk::{Center, officer, short};

fn withdraw(pseudonym: &str, scopes: &[&str]) -> Request {
    Request::Withdraw {
        program: "rare".into(),
        pseudonym: pseudonym.into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        evidence: "letter 7".into(),
        noticed_us: None,
        reason: String::new(),
    }
}

/// Somebody who is not the engine's user tries to read a file, through another program.
fn readable(path: &Path) -> bool {
    std::process::Command::new("setpriv")
        .args(["--reuid=64100", "--regid=64100", "--clear-groups", "cat"])
        .arg(path)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Every regular file beneath a directory, links not followed.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// How far the line is before consent is taken back.
const STAGES: [&str; 8] = [
    "expected",
    "received",
    "accessioned",
    "sequence_qc_failed",
    "analyzing",
    "analysis_qc_failed",
    "release_review",
    "delivered",
];

/// Brings an order line so far.
async fn bring_to(center: &Center, stage: &str, barcode: &str, pseudonym: &str) -> Result<String> {
    let (specimen, order) = center.announce(barcode, pseudonym).await?;
    center.consent(pseudonym, &["sequencing", "research"]).await?;
    let at = STAGES.iter().position(|other| *other == stage).unwrap_or(0);
    if at >= 1 {
        center.receive(barcode).await?;
    }
    if at >= 2 {
        center.accession(&specimen).await?;
    }
    let q = if stage == "analysis_qc_failed" { 25 } else { 35 };
    // Each participant's data is their own: the same bytes would be one artifact of both.
    let made = Act::Make(vec![("m.json", format!("{{\"q\": {q}, \"of\": \"{pseudonym}\"}}"))]);
    center.house.hands.plan("a", [if stage == "analyzing" { Act::Wait } else { made }]);
    if at >= 3 {
        let reads = if at == 3 { "10" } else { "600000000" };
        center.lane(&format!("RUN-{pseudonym}"), "1", &specimen, reads).await?;
    }
    if at == 4 {
        center.house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    }
    if stage == "delivered" {
        center.until_stage(&order, "release_review").await?;
        let run = RunId::from(center.run(&order)?);
        center.release(&run, "review").await?;
    }
    center.until_stage(&order, stage).await?;
    Ok(order)
}

#[tokio::test]
async fn a_withdrawal_at_every_stage_stops_the_participant_and_nobody_else() -> Result<()> {
    for stage in STAGES {
        let center = Center::open(&short()).await?;
        let other = bring_to(&center, "release_review", "T-other", "P-other").await?;
        let order = bring_to(&center, stage, "T1", "P1").await?;
        let began = Instant::now();
        center.ask(withdraw("P1", &[]), &officer("sato")).await?;
        ensure!(center.stage(&order)? == "withdrawn", "{stage}: {}", center.stage(&order)?);
        let status = "select status from record where kind = 'case'";
        center.house.until("the case to be sealed", async |house| Ok(house.sql(status)? == "sealed")).await?;
        // The promise of the design is five seconds; a test on a busy machine would tell of the machine, so it is printed.
        eprintln!("{stage}: sealed after {:.2} s", began.elapsed().as_secs_f64());
        let open =
            "select count(*) from run where order_line_id = '{}' and status not in ('succeeded', 'failed', 'canceled')";
        ensure!(center.house.sql(&open.replace("{}", &order))? == "0", "{stage}: its run goes on");
        ensure!(center.house.hands.running().is_empty(), "{stage}: a tool still runs");
        let run = center.run(&order)?;
        for made in center.house.sql(&format!("select sha256 from made where run_id = '{run}'"))?.lines() {
            let path = center.house.site().join("artifacts/sha256").join(&made[..2]).join(made);
            ensure!(!path.exists(), "{stage}: {made} still has its name");
            ensure!(!readable(&center.house.site().join("artifacts/sealed").join(made)), "{stage}: {made} can be read");
        }
        ensure!(
            !center.house.site().join("samples").join(specimen_of(&center, &order)?).join(&run).exists()
                || run.is_empty()
        );
        for scratch in files(&center.house.site().join("attempts")) {
            let ours = !run.is_empty() && scratch.to_string_lossy().contains(&run);
            ensure!(!ours || !readable(&scratch), "{stage}: {} can be read", scratch.display());
        }
        // The other one's data is where it was, and its line goes on to its end.
        let theirs = RunId::from(center.run(&other)?);
        center.release(&theirs, "review").await?;
        center.until_stage(&other, "delivered").await?;
        center.house.check().await?;
    }
    Ok(())
}

fn specimen_of(center: &Center, order: &str) -> Result<String> {
    center.house.sql(&format!("select specimen_id from order_line where order_line_id = '{order}'"))
}

#[tokio::test]
async fn a_case_ends_when_two_people_decided_everything_and_everybody_answered() -> Result<()> {
    let center = Center::open(&short()).await?;
    let order = bring_to(&center, "delivered", "T1", "P1").await?;
    center.ask(withdraw("P1", &[]), &officer("sato")).await?;
    let case = center.house.sql("select record_id from record where kind = 'case'")?;
    center
        .house
        .until("sealed", async |house| Ok(house.sql("select status from record where kind = 'case'")? == "sealed"))
        .await?;
    let things =
        center.house.sql("select json_extract(document, '$.thing') from record where kind = 'case_item' order by 1")?;
    for thing in ["artifact", "backup", "delivery", "lane", "specimen"] {
        ensure!(things.lines().any(|found| found == thing), "no {thing} in {things}");
    }
    let close = Request::CaseClose { case };
    ensure!(matches!(center.refused(close.clone(), &officer("sato")).await?, Refusal::State(_)));
    let items = center.house.sql("select record_id from record where kind = 'case_item'")?;
    for item in items.lines() {
        let decide = Request::CaseDecide {
            item: item.into(),
            decision: "destroy".into(),
            reference: String::new(),
            reason: "as asked".into(),
        };
        center.ask(decide, &officer("sato")).await?;
        let confirm = Request::CaseConfirm { item: item.into() };
        ensure!(
            matches!(center.refused(confirm.clone(), &officer("sato")).await?, Refusal::NotAllowed(_)),
            "one person decided"
        );
        center.ask(confirm, &officer("kondo")).await?;
    }
    let left = "select count(*) from record where kind = 'case_item' and status <> 'done'";
    center.house.until("everything to be done", async |house| Ok(house.sql(left)? == "0")).await?;
    let gone = center.house.sql("select json_extract(document, '$.certificate.sha256') from record where kind = 'case_item' and json_extract(document, '$.thing') = 'artifact'")?;
    for sha256 in gone.lines() {
        ensure!(!center.house.site().join("artifacts/sealed").join(sha256).exists(), "{sha256} is still there");
    }
    let notices = center.house.sql("select record_id from record where kind = 'notice'")?;
    ensure!(!notices.is_empty(), "the receiver was not told");
    let notice = notices.lines().next().unwrap_or_default();
    let file = center.house.site().join(format!("notices/{notice}.json"));
    is_signed(&center.house.site(), &std::fs::read_to_string(file)?)?;
    for notice in notices.lines() {
        let answered = Request::NoticeAnswered { notice: notice.into(), receipt: "mail 12".into() };
        center.ask(answered, &officer("sato")).await?;
    }
    center.ask(close, &officer("sato")).await?;
    ensure!(center.stage(&order)? == "withdrawn");
    Ok(())
}

/// OpenSSL says whether the site's key signed the message.
fn is_signed(site: &Path, text: &str) -> Result<()> {
    let message: serde_json::Value = serde_json::from_str(text)?;
    let body = message["body"].as_str().unwrap_or_default();
    let (_, signature) = message["signature"].as_str().unwrap_or_default().split_once(':').unwrap_or_default();
    let public = std::fs::read_to_string(site.join("secrets/audit.pub"))?;
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join("message"), format!("kentai notice 1\n{body}"))?;
    // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) is this head and the key.
    let script = "printf %s \"302a300506032b6570032100$1\" | xxd -r -p > key.der && printf %s \"$2\" | xxd -r -p > signature && \
        openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile signature";
    let said = tool("sh", &["-c", script, "sh", public.trim(), signature], place.path())?;
    ensure!(said.contains("Signature Verified Successfully"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_narrower_consent_lets_the_work_go_on_and_keeps_the_hand_off_back() -> Result<()> {
    let center = Center::open(&short()).await?;
    let order = bring_to(&center, "release_review", "T1", "P1").await?;
    center.ask(withdraw("P1", &["research"]), &officer("sato")).await?;
    ensure!(center.stage(&order)? == "release_review", "sequencing is still allowed");
    let run = RunId::from(center.run(&order)?);
    center.release(&run, "review").await?;
    center.until_stage(&order, "analysis_failed").await?;
    ensure!(std::fs::read_dir(center.house.outbox())?.count() == 0, "it left without consent");
    Ok(())
}

#[tokio::test]
async fn without_the_use_that_the_work_needs_no_further_step_starts() -> Result<()> {
    let center = Center::open(&short()).await?;
    let order = bring_to(&center, "analysis_qc_failed", "T1", "P1").await?;
    center.ask(withdraw("P1", &["sequencing"]), &officer("sato")).await?;
    let run = RunId::from(center.run(&order)?);
    let gate = center.house.answer(&run, "depth", ("tanaka", "reviewer"), AnswerKind::Qc, "release").await;
    ensure!(gate.is_ok(), "{gate:?}");
    // The review is the next step, and nobody is asked for it.
    center.house.handle().hold(&run, &operator(), "to see the turn's end").await?;
    let review =
        center.house.sql(&format!("select status from step where run_id = '{run}' and step_key = 'review'"))?;
    ensure!(review == "ready", "the review is {review}");
    Ok(())
}

#[tokio::test]
async fn a_consent_that_is_older_than_the_withdrawal_cannot_undo_it() -> Result<()> {
    let center = Center::open(&short()).await?;
    bring_to(&center, "accessioned", "T1", "P1").await?;
    center.ask(withdraw("P1", &[]), &officer("sato")).await?;
    let consent = kentai_engine::specimen::record::Consent {
        document: "form".into(),
        document_version: "2".into(),
        scopes: vec!["sequencing".into()],
        effective_us: 1,
        ..Default::default()
    };
    let request = Request::Consent { program: "rare".into(), pseudonym: "P1".into(), consent, status: "given".into() };
    let refusal = center.refused(request, &operator()).await?;
    ensure!(refusal.to_string().contains("older than the withdrawal"), "{refusal}");
    Ok(())
}

#[tokio::test]
async fn consent_that_moved_behind_the_engines_back_lets_nothing_start() -> Result<()> {
    let mut center = Center::open(&short()).await?;
    let order = bring_to(&center, "analysis_qc_failed", "T1", "P1").await?;
    let run = RunId::from(center.run(&order)?);
    center.house.sql("update participant set consent = 'withdrawn', consent_epoch = consent_epoch + 1")?;
    let handle = center.house.handle().clone();
    let reviewer = person("tanaka", "reviewer");
    let answer = kentai_engine::scheduler::handle::Answer {
        kind: AnswerKind::Qc,
        verdict: "release".into(),
        reason: "x".into(),
    };
    let released = tokio::spawn(async move { handle.answer(&run, "depth", &reviewer, answer).await });
    let fell = center.house.fall().await?;
    ensure!(fell.to_string().contains("participant"), "{fell}");
    ensure!(released.await?.is_err(), "a gate was released on a consent that is gone");
    ensure!(center.house.sql("select status from step where step_key = 'depth'")? == "awaiting_person");
    Ok(())
}

#[tokio::test]
async fn a_specimens_own_file_that_was_handed_off_is_on_the_list_and_is_destroyed() -> Result<()> {
    const OWN: &str = "kentai: 1
workflow: own
specimen: { inputs: { reads: file, panel: file } }
steps:
  receive: { receive: { require: [specimen] } }
  deliver: { after: [receive], handoff: { to: outbox, files: [\"${{ specimen.reads }}\", \"${{ specimen.panel }}\"] } }
";
    let center = Center::open(&short()).await?;
    for (barcode, pseudonym) in [("T1", "P1"), ("T2", "P2")] {
        let (known, _) = center.bring(barcode, pseudonym).await?;
        let (reads, panel) = (center.house.directory.path().join(barcode), center.house.directory.path().join("panel"));
        std::fs::write(&reads, format!("reads of {pseudonym}\n"))?;
        std::fs::write(&panel, "regions of everybody\n")?;
        let mut sheet = specimen(&known);
        sheet.values = [("reads".to_owned(), file(&reads)), ("panel".to_owned(), file(&panel))].into_iter().collect();
        let run = center.house.submit(OWN, &sheet).await?;
        ensure!(center.house.end(&run).await? == "succeeded", "{}", center.house.why(&run, None).await?);
    }
    center.ask(withdraw("P1", &[]), &officer("sato")).await?;
    let status = "select status from record where kind = 'case'";
    center.house.until("the case to be sealed", async |house| Ok(house.sql(status)? == "sealed")).await?;
    let item = |sha256: &str| {
        let of = format!("kind = 'case_item' and json_extract(document, '$.sha256') = '{sha256}'");
        center.house.sql(&format!("select record_id from record where {of}"))
    };
    let (own, shared) = (sha256(b"reads of P1\n"), sha256(b"regions of everybody\n"));
    let decide = |item: &str| Request::CaseDecide {
        item: item.into(),
        decision: "destroy".into(),
        reference: String::new(),
        reason: "as asked".into(),
    };
    let (own_item, shared_item) = (item(&own)?, item(&shared)?);
    ensure!(!own_item.is_empty() && !own_item.contains('\n'), "their own file is on the list: {own_item:?}");
    // What was handed off for somebody else too stays, and open.
    ensure!(matches!(center.refused(decide(&shared_item), &officer("sato")).await?, Refusal::State(_)));
    let path = |place: &str, sha256: &str| center.house.site().join("artifacts").join(place).join(sha256);
    ensure!(path(&format!("sha256/{}", &shared[..2]), &shared).is_file(), "what is another's too was closed");
    ensure!(path("sealed", &own).exists(), "their own file was not closed");
    center.ask(decide(&own_item), &officer("sato")).await?;
    center.ask(Request::CaseConfirm { item: own_item.clone() }, &officer("kondo")).await?;
    let done = format!("select status from record where kind = 'case_item' and record_id = '{own_item}'");
    center.house.until("it to be destroyed", async |house| Ok(house.sql(&done)? == "done")).await?;
    ensure!(!path("sealed", &own).exists() && !path(&format!("sha256/{}", &own[..2]), &own).exists());
    let certificate =
        format!("select json_extract(document, '$.certificate.method') from record where record_id = '{own_item}'");
    ensure!(center.house.sql(&certificate)?.contains("truncated"), "{}", center.house.sql(&certificate)?);
    center.house.check().await
}

#[tokio::test]
async fn a_withdrawal_that_is_still_to_come_is_refused_and_what_was_said_of_it_is_kept() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.announce("T1", "P1").await?;
    let at = |noticed_us: i64| Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter 7".into(),
        noticed_us: Some(noticed_us),
        reason: "moved abroad".into(),
    };
    let refused = center.refused(at(i64::MAX / 2), &officer("oda")).await?;
    ensure!(matches!(refused, Refusal::Bad(_)), "{refused}");
    ensure!(center.house.sql("select count(*) from record where kind = 'case'")? == "0");
    center.ask(at(1_729_210_320_000_000), &officer("oda")).await?;
    let told = "select document ->> 'reason' || ' ' || (document ->> 'noticed_us') from record where kind = 'case'";
    ensure!(center.house.sql(told)? == "moved abroad 1729210320000000", "{}", center.house.sql(told)?);
    let said = center.house.sql("select body ->> 'reason' from event where kind = 'case_opened'")?;
    ensure!(said == "moved abroad", "the log says {said}");
    center.house.check().await
}
