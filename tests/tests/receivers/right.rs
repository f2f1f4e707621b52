//! Who may: what is foreign is not there, and what is taken back ends while bytes still flow.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::{Actor, Target};
use kentai_engine::view::offer;
use kentai_tests::house::{Act, Plan, operator};
use kentai_tests::receivers::{Door, Receivers};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_foreign_is_byte_for_byte_what_is_not_there() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    // As long as the other: the answer repeats it.
    let missing = &"d".repeat(id.len());
    let body = site.door.place("sent")?.join("receipt");
    std::fs::write(
        &body,
        "{\"receipt\":\"R\",\"files\":[{\"path\":\"data/S1.vcf\",\"outcome\":\"refused\",\"reason\":\"policy\"}]}",
    )?;
    let data = format!("@{}", body.display());
    let post = ["--request", "POST", "--header", "Content-Type: application/json", "--data-binary", &data];
    let routes: [(&str, &[&str]); 10] = [
        ("/api/v1/offers/ID", &[]),
        ("/api/v1/offers/ID/receipts", &post),
        ("/api/v1/deliveries/ID", &[]),
        ("/deliveries/ID", &[]),
        ("/deliveries/ID/", &[]),
        ("/deliveries/ID.meta4", &[]),
        ("/deliveries/ID/fetch.txt", &[]),
        ("/deliveries/ID/bagit.txt", &[]),
        ("/deliveries/ID/data/S1.vcf", &["--range", "0-3"]),
        ("/deliveries/ID/data/S1.vcf", &["--head"]),
    ];
    let date = |said: &str| {
        said.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect::<Vec<_>>().join("\n")
    };
    for (route, more) in routes {
        let with: Vec<&str> = ["--include"].iter().chain(more).copied().collect();
        let (status, foreign) = site.door.status("dc2", &route.replace("ID", &id), &with)?;
        let (_, nothing) = site.door.status("dc2", &route.replace("ID", missing), &with)?;
        ensure!(status == 404, "{route}: {status}");
        let (foreign, nothing) = (date(&foreign).replace(&id, "ID"), date(&nothing).replace(missing, "ID"));
        ensure!(foreign == nothing, "{route}: {foreign}\nand\n{nothing}");
        let (own, _) = site.door.status("dc1", &route.replace("ID", &id), more)?;
        ensure!(own < 400, "{route}: its own receiver gets {own}");
    }
    // What cannot be read is said of one's own only.
    for body in ["{".to_owned(), " ".repeat((1 << 20) + 1)] {
        let ask = |id: &str| site.door.post("dc2", &format!("/api/v1/offers/{id}/receipts"), &body);
        let ((status, foreign), (_, nothing)) = (ask(&id)?, ask(missing)?);
        ensure!(status == 404, "{status} {foreign}");
        ensure!(foreign.to_string().replace(&id, "ID") == nothing.to_string().replace(missing, "ID"), "{foreign}");
    }
    ensure!(site.events(&id)?.iter().all(|event| event != "receipt_not_taken"), "{:?}", site.events(&id)?);
    let (status, _) = site.door.status("", &format!("/deliveries/{id}/bagit.txt"), &[])?;
    ensure!(status == 401, "nobody gets {status}");
    site.check().await
}

/// A download that takes its time: curl at this many bytes per second, once it has some.
fn slow(door: &Door, path: &str, to: &std::path::Path) -> Result<Child> {
    Ok(Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--limit-rate", "2M", "--output"])
        .arg(to)
        .args(["--header", &door.bearer("dc1")?, &format!("{}{path}", door.base())])
        .stderr(Stdio::null())
        .spawn()?)
}

/// Waits until some of a file is there.
pub(super) async fn until_some(to: &std::path::Path) -> Result<()> {
    // A file tells nobody: it is looked at.
    for _ in 0..3_000 {
        if std::fs::metadata(to).is_ok_and(|found| found.len() > 0) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    anyhow::bail!("nothing came")
}

fn much() -> String {
    "0123456789abcde\n".repeat(2 << 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_ends_the_download_that_it_began() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", &much()).await?;
    let (path, to) = (format!("/deliveries/{id}/data/S1.vcf"), site.door.place("got")?.join("S1.vcf"));
    let mut curl = slow(&site.door, &path, &to)?;
    until_some(&to).await?;
    let admin = Actor { name: "root".into(), roles: ["admin".into()].into(), ..Actor::default() };
    let began = Instant::now();
    site.house.handle().center(Request::RevokeToken { token: site.door.token_ids["dc1"].clone() }, &admin).await?;
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    eprintln!("cut off after {:.2} s", began.elapsed().as_secs_f64());
    // What lay in the receiver's own buffers is the receiver's. 18: a part of the file; 56: the connection broke.
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    ensure!(std::fs::metadata(&to)?.len() < 32 << 20, "all of it came");
    let (status, _) = site.door.status("dc1", &path, &[])?;
    ensure!(status == 401, "it still counts: {status}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_ends_downloads_and_the_receiver_reads_why() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", &much()).await?;
    let (path, to) = (format!("/deliveries/{id}/data/S1.vcf"), site.door.place("got")?.join("S1.vcf"));
    let next = site.door.json("dc1", "/api/v1/offers")?["next"].as_str().context("a cursor")?.to_owned();
    let mut curl = slow(&site.door, &path, &to)?;
    until_some(&to).await?;
    site.ask("operator", Request::Recall { delivery: id.clone(), reason: "two tubes were exchanged".into() }).await?;
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    let (status, said) = site.door.status("dc1", &path, &[])?;
    ensure!(status == 410 && said.contains("two tubes were exchanged"), "{status} {said}");
    let feed = site.door.json("dc1", &format!("/api/v1/offers?after={next}"))?;
    ensure!(feed["items"][0]["status"] == "recalled" && feed["items"][0]["delivery"] == id.as_str(), "{feed}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_back_is_on_no_list_and_behind_no_address() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (_, stays) = site.offered("S2", "calls\n").await?;
    let listed = |who: &str| site.door.curl(who, "/deliveries/", &["--fail"]);
    ensure!(listed("dc1")?.contains(&id) && !listed("dc2")?.contains(&id), "{}\n{}", listed("dc1")?, listed("dc2")?);
    site.ask("operator", Request::Recall { delivery: id.clone(), reason: "two tubes".into() }).await?;
    let list = listed("dc1")?;
    ensure!(!list.contains(&id) && list.contains(&stays), "{list}");
    for within in ["", "/", ".meta4", "/fetch.txt", "/data/", "/bagit.txt", "/data/S1.vcf"] {
        let (status, said) = site.door.status("dc1", &format!("/deliveries/{id}{within}"), &[])?;
        ensure!(status == 410 && said.contains("two tubes"), "{within}: {status} {said}");
        let (status, said) = site.door.status("dc1", &format!("/deliveries/{stays}{within}"), &[])?;
        ensure!(status < 400 || within.contains("S1"), "{within} of another: {status} {said}");
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_time_is_over_ends_its_download_and_its_links() -> Result<()> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let plan = Plan { clock: clock.clone(), ..Plan::default() };
    let mut site = Receivers::with(plan, Target::pulled()).await?;
    let (_, id) = site.offered("S1", &much()).await?;
    let admin = Actor { name: "root".into(), roles: ["admin".into()].into(), ..Actor::default() };
    let wish = Request::NewToken {
        owner: "dc1-robot".into(),
        label: String::new(),
        scopes: Vec::new(),
        expires_us: Some(clock.now() + 600_000_000),
        made: Default::default(),
    };
    let secret = site.house.handle().center(wish, &admin).await?.secret.context("told once")?.0;
    site.door.tokens.insert("dc1".into(), secret);
    let (_, file) = super::drs::ids(&site, &id, "data/S1.vcf")?;
    let said = site.door.json("dc1", &format!("{}/objects/{file}/access/https", super::drs::BASE))?;
    let link = said["url"].as_str().context("a link")?.replace(&site.door.base(), "");
    ensure!(site.door.status("", &link, &["--range", "0-3"])?.0 == 206);
    let (path, to) = (format!("/deliveries/{id}/data/S1.vcf"), site.door.place("got")?.join("S1.vcf"));
    let mut curl = slow(&site.door, &path, &to)?;
    until_some(&to).await?;
    // The link itself counts for five minutes more.
    clock.advance(600_000_000);
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    ensure!(std::fs::metadata(&to)?.len() < 32 << 20, "all of it came");
    for (who, path) in [("dc1", &path), ("", &link)] {
        let (status, _) = site.door.status(who, path, &[])?;
        ensure!(status == 401, "{path} still counts: {status}");
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_ends_by_the_clock_and_may_be_made_again() -> Result<()> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let plan = Plan { clock: clock.clone(), ..Plan::default() };
    let site = Receivers::with(plan, Target { keep_s: 3_600, ..Target::pulled() }).await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let path = format!("/deliveries/{id}/data/S1.vcf");
    ensure!(site.door.status("dc1", &path, &[])?.0 == 200);
    // By the clock, also before it is written down.
    let (roles, center) = (["data_center".into()].into(), Some("dc1".into()));
    let dc1 = Actor { name: "dc1-robot".into(), roles, data_center: center, ..Actor::default() }.principal();
    for (later_us, is_had) in [(3_599_999_999, true), (3_600_000_000, false)] {
        let seen = offer::fetchable(site.house.handle().reader(), &dc1, &id, clock.now() + later_us).await;
        ensure!(seen.is_ok() == is_had, "{later_us} µs later: {}", seen.is_ok());
    }
    clock.advance(3_600_000_000);
    ensure!(site.door.status("dc1", &path, &[])?.0 == 410);
    site.until_event(&id, "expired").await?;
    site.ask("operator", Request::Reoffer { delivery: id.clone(), days: 1, reason: "they asked".into() }).await?;
    ensure!(site.door.status("dc1", &path, &[])?.0 == 200);
    let feed = site.door.json("dc1", "/api/v1/offers")?;
    ensure!(feed["items"].as_array().map(Vec::len) == Some(1) && feed["items"][0]["status"] != "expired", "{feed}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_round_takes_the_place_of_the_first() -> Result<()> {
    let site = Receivers::open().await?;
    let (run, first) = site.offered("S1", "calls\n").await?;
    site.house.hands.plan("a", [Act::Make(vec![("calls.vcf", "others\n".into()), ("notes.txt", "n\n".into())])]);
    site.house.handle().retry(&run, Some("a"), &operator()).await?;
    ensure!(site.house.end(&run).await? == "succeeded");
    let rows = site.house.handle().reader().deliveries_of(run.as_str()).await?;
    let newer = rows.iter().map(|row| row.delivery_id.to_string()).find(|id| *id != first);
    let second = newer.context("a second delivery")?;
    let feed = site.door.json("dc1", "/api/v1/offers")?;
    let items = feed["items"].as_array().context("items")?;
    let of = |id: &str| items.iter().find(|item| item["delivery"] == id).cloned().unwrap_or_default();
    ensure!(of(&first)["status"] == "superseded" && of(&second)["status"] == "offered", "{feed}");
    ensure!(of(&second)["supersedes"] == first.as_str(), "{feed}");
    ensure!(site.door.status("dc1", &format!("/deliveries/{first}/bagit.txt"), &[])?.0 == 410);
    site.check().await
}
