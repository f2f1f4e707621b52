//! Links to files: what they open and for how long, and everything that they do not open.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::{Actor, Target};
use kentai_tests::Site;
use kentai_tests::house::Plan;
use kentai_tests::receivers::{Receivers, sha256sum};

use super::{ids, link};

fn admin() -> Actor {
    Actor { name: "root".into(), roles: ["admin".into()].into(), ..Actor::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_one_file_for_a_quarter_of_an_hour() -> Result<()> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let site = Receivers::with(Plan { clock: clock.clone(), ..Plan::default() }, Target::pulled()).await?;
    let content = "calls\n".repeat(1_000);
    let (_, id) = site.offered("S1", &content).await?;
    let (_, file) = ids(&site, &id, "data/S1.vcf")?;
    let link = link(&site, "dc1", &file)?;
    let place = site.door.place("got")?;
    let to = place.join("S1.vcf").to_string_lossy().into_owned();
    site.door.curl("", &link, &["--fail", "--output", &to])?;
    ensure!(format!("f-{}", sha256sum(&place.join("S1.vcf"))?) == file);
    // What was cut off goes on where it stopped.
    std::fs::write(&to, &content[..1_000])?;
    site.door.curl("", &link, &["--fail", "--continue-at", "-", "--output", &to])?;
    ensure!(format!("f-{}", sha256sum(&place.join("S1.vcf"))?) == file);
    let (status, head) = site.door.status("", &link, &["--head"])?;
    ensure!(status == 200 && head.to_lowercase().contains("content-length: 6000"), "{status} {head}");
    let (status, part) = site.door.status("", &link, &["--range", "6-10"])?;
    ensure!(status == 206 && part == "calls", "{status} {part}");
    // Changed in any place, or put before another path: nobody's.
    let (path, query) = link.split_once('?').context("a query")?;
    let [expires, by, signature] = query.split('&').collect::<Vec<_>>()[..] else { anyhow::bail!("{query}") };
    let later = format!("expires={}", 1 + expires.trim_start_matches("expires=").parse::<i64>()?);
    let other = format!("by=t.{}", site.door.token_ids["dc2"]);
    let digit = if signature.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{digit}", &signature[..signature.len() - 1]);
    for wrong in [
        format!("{path}?{later}&{by}&{signature}"),
        format!("{path}?{expires}&{other}&{signature}"),
        format!("{path}?{expires}&by=p.dc1-robot&{signature}"),
        format!("{path}?{expires}&{by}&{forged}"),
        format!("{path}?{expires}&{by}&signature="),
        format!("{path}?{query}&x=1"),
        format!("{}?{query}", path.replace("S1.vcf", "S1.txt")),
        format!("/deliveries/{id}/bagit.txt?{query}"),
        format!("/deliveries/{id}/?{query}"),
        format!("/deliveries/?{query}"),
        format!("/api/v1/offers?{query}"),
        format!("/ga4gh/drs/v1/objects/{file}?{query}"),
    ] {
        let (status, said) = site.door.status("", &wrong, &[])?;
        ensure!([400, 401].contains(&status) && !said.contains("calls"), "{wrong}: {status} {said}");
    }
    let (status, _) = site.door.status("", &link, &["--request", "POST"])?;
    ensure!(status == 405, "it is posted to: {status}");
    // A token counts before it: nobody is somebody else than they think.
    ensure!(site.door.status("dc2", &link, &[])?.0 == 404);
    clock.advance(899_000_000);
    ensure!(site.door.status("", &link, &[])?.0 == 200);
    clock.advance(1_000_000);
    let (status, said) = site.door.status("", &link, &[])?;
    ensure!(status == 401 && said.contains("time of this link is over"), "{status} {said}");
    site.check().await
}

/// A download by a link that takes its time.
fn slow(site: &Receivers, link: &str, to: &std::path::Path) -> Result<Child> {
    Ok(Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--limit-rate", "2M", "--output"])
        .arg(to)
        .arg(format!("{}{link}", site.door.base()))
        .stderr(Stdio::null())
        .spawn()?)
}

/// Waits until some of a file is there.
async fn until_some(to: &std::path::Path) -> Result<()> {
    // A file tells nobody: it is looked at.
    for _ in 0..6_000 {
        if std::fs::metadata(to).is_ok_and(|found| found.len() > 0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("nothing came")
}

/// Who or what is taken back while bytes flow.
async fn taken_back(what: &str, status: u16) -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", &"0123456789abcde\n".repeat(2 << 20)).await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let link = link(&site, "dc1", &file)?;
    let to = site.door.place("got")?.join("S1.vcf");
    let mut curl = slow(&site, &link, &to)?;
    until_some(&to).await?;
    let engine = site.house.handle();
    match what {
        "token" => {
            drop(engine.center(Request::RevokeToken { token: site.door.token_ids["dc1"].clone() }, &admin()).await?)
        }
        "person" => drop(engine.center(Request::DisablePerson { name: "dc1-robot".into() }, &admin()).await?),
        _ => {
            let reason = "two tubes were exchanged".into();
            drop(site.ask("operator", Request::Recall { delivery: id.clone(), reason }).await?);
        }
    }
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    // 18: a part of the file; 56: the connection broke.
    ensure!([Some(18), Some(56)].contains(&ended.code()), "{what}: curl ended with {ended}");
    ensure!(std::fs::metadata(&to)?.len() < 32 << 20, "{what}: all of it came");
    let (found, said) = site.door.status("", &link, &[])?;
    ensure!(found == status, "{what}: {found} {said}");
    // Neither what names it nor another link is to be had.
    for path in [format!("/objects/{file}"), format!("/objects/{delivery}"), format!("/objects/{file}/access/https")] {
        let (status, said) = site.door.status("dc1", &format!("/ga4gh/drs/v1{path}"), &[])?;
        ensure!(status == 401 || (status == 404 && what == "delivery"), "{what}: {path}: {status} {said}");
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_takes_its_links_along() -> Result<()> {
    taken_back("token", 401).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_disabled_takes_its_links_along() -> Result<()> {
    taken_back("person", 401).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_counts_for_links_as_for_tokens() -> Result<()> {
    taken_back("delivery", 410).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_outlives_the_engine_and_not_the_sites_key() -> Result<()> {
    let mut site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (_, file) = ids(&site, &id, "data/S1.vcf")?;
    let link = link(&site, "dc1", &file)?;
    site.again().await?;
    ensure!(site.door.status("", &link, &[])? == (200, "calls\n".into()));
    for half in ["key", "pub"] {
        std::fs::remove_file(site.house.site().join(format!("secrets/links.{half}")))?;
    }
    site.again().await?;
    ensure!(site.door.status("", &link, &[])?.0 == 401);
    site.check().await
}

/// The program says nothing of a request but its path, however much it is to say.
#[test]
fn no_log_has_the_signature_of_a_link() -> Result<()> {
    let site = Site::new("links", "serve: [{ listen: \"127.0.0.1:0\" }]\n")?;
    let log = site.directory.path().join("log");
    let mut child = site
        .command(["serve", "--json"])?
        .env("KENTAI_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log)?)
        .spawn()?;
    let said = serde_json::Deserializer::from_reader(child.stdout.take().context("a pipe")?);
    let told: serde_json::Value = said.into_iter().next().context("serve says where it listens")??;
    let address = told["addresses"][0].as_str().context("an address")?.to_owned();
    let url = format!("http://{address}/deliveries/D1/data/S1.vcf?expires=1&by=t.T1&signature={}", "ca".repeat(32));
    let status = kentai_tests::tool(
        "curl",
        &["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", &url],
        &site.path(),
    );
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    child.wait()?;
    ensure!(status? == "401");
    let log = std::fs::read_to_string(log)?;
    ensure!(log.contains("/deliveries/D1/data/S1.vcf"), "the request is not in the log at all");
    ensure!(!log.contains("signature=") && !log.contains(&"ca".repeat(32)), "the signature is in the log");
    Ok(())
}
