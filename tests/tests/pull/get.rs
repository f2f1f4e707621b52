//! The plain way: what is offered comes, once, whole, and what becomes of it is seen.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::handoff::offer::Status;
use kentai_engine::handoff::sshsig;

use super::center::{Center, TOKEN};
use super::package::{Package, Recipe, center_key, noise};
use super::{Client, pair, told};

#[test]
fn what_is_offered_comes_whole_and_only_once() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    client.has(&package)?;
    let asked = center.world().asked.len();
    let told = client.well(&["get", "--all"])?;
    ensure!(told.err.contains("nothing new"), "{}", told.err);
    ensure!(center.world().asked.len() == asked, "bytes were asked for again");
    let listed: serde_json::Value = serde_json::from_str(&client.well(&["list", "--json"])?.out)?;
    ensure!(listed[0]["here"] == "pulled" && listed[0]["delivery"] == "d1", "{listed}");
    client.well(&["verify"])?;
    // Nothing is left of the way.
    ensure!(fs::read_dir(client.pulled("progress"))?.next().is_none(), "journals are left");
    Ok(())
}

#[test]
fn the_token_is_nobody_elses_and_stands_in_no_other_file() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all", "--acknowledge"])?;
    let token = client.pulled("token");
    ensure!(fs::metadata(&token)?.permissions().mode() & 0o777 == 0o600);
    ensure!(fs::metadata(client.path("kentai-pull"))?.permissions().mode() & 0o777 == 0o700);
    ensure!(center.world().tokens.iter().all(|given| given == &format!("Bearer {TOKEN}")));
    let found = std::process::Command::new("grep").args(["-rl", TOKEN]).arg(client.path("kentai-pull")).output()?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    ensure!(found.trim() == token.to_string_lossy(), "the token stands in {found}");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640))?;
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 5 && told.err.contains("chmod 600"), "{}: {}", told.code, told.err);
    Ok(())
}

#[test]
fn a_token_that_is_not_known_and_an_address_where_nobody_is_are_told_apart() -> Result<()> {
    let center = Center::start()?;
    let client = Client::new()?;
    fs::write(client.path("given"), "another")?;
    let told = client.run(&["login", &center.address(), "--token-file", "given"])?;
    ensure!(told.code == 5 && told.err.contains("who is that?"), "{}: {}", told.code, told.err);
    ensure!(!client.pulled("token").exists() && !client.pulled("pull.json").exists(), "it was kept");
    let told = client.run(&["login", "http://127.0.0.1:1", "--token-file", "given"])?;
    ensure!(told.code == 7, "{}: {}", told.code, told.err);
    let told = client.run(&["login", "http://center.example", "--token-file", "given"])?;
    ensure!(told.code == 2 && told.err.contains("https://"), "{}: {}", told.code, told.err);
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 4 && told.err.contains("kentai pull login"), "{}: {}", told.code, told.err);
    Ok(())
}

#[test]
fn whoever_signed_the_first_package_must_sign_the_next() -> Result<()> {
    let center = Center::start()?;
    let client = Client::at(&center.address(), &["--trust-first"])?;
    center.offer(&Package::small()?);
    client.well(&["get", "--all"])?;
    let pinned = fs::read_to_string(client.pulled("pull.json"))?;
    ensure!(pinned.contains(&sshsig::line(&center_key().public())), "{pinned}");
    let other = kentai_engine::audit::checkpoint::Secret::from_bytes(&[8; 32]);
    for (delivery, secret) in [("d2", Some(other)), ("d3", None)] {
        center.offer(&Package::of(Recipe { delivery, secret, ..Recipe::default() })?);
        let asked = center.world().asked.len();
        let told = client.run(&["get", delivery])?;
        ensure!(told.code == 3 && told.err.contains("signature") | told.err.contains(".sig"), "{}", told.err);
        let payload = center.world().asked[asked..].iter().any(|(path, _)| path.starts_with("data/"));
        ensure!(!payload, "the payload of {delivery} was asked for");
        ensure!(!client.pulled("packages").join(format!("S1_{delivery}")).exists());
    }
    Ok(())
}

#[test]
fn what_is_recalled_leaves_the_packages_and_is_told_loudly() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    center.now(&package, Status::Recalled);
    let told = client.well(&["list"])?;
    ensure!(told.err.contains("RECALLED"), "{}", told.err);
    client.has_none()?;
    ensure!(fs::read_dir(client.pulled("recalled"))?.count() == 1);
    let told = client.run(&["acknowledge", "d1"])?;
    ensure!(told.code == 6 && center.world().posts == 0, "{}: {}", told.code, told.err);
    let told = client.well(&["get", "--all", "--acknowledge"])?;
    ensure!(told.err.contains("RECALLED") && center.world().posts == 0, "a program acknowledged it: {}", told.err);
    client.well(&["acknowledge", "d1", "--recalled"])?;
    ensure!(center.world().posts == 1);
    // Offered again, it comes again.
    center.offer(&package);
    client.well(&["get", "--all"])?;
    client.has(&package)
}

#[test]
fn another_issue_takes_the_place_of_the_first_which_is_kept() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    let payload = vec![("S1.cram", noise(9, 1000), None)];
    let again = Package::of(Recipe { payload, ..Recipe::default() })?;
    center.offer(&again);
    client.well(&["get", "--all"])?;
    client.has(&again)?;
    ensure!(fs::read_dir(client.pulled("replaced"))?.count() == 1, "the first one is gone");
    // A stranger's delivery does not get this folder.
    let mut stranger = Package::of(Recipe { delivery: "d2", ..Recipe::default() })?;
    stranger.detail.offer.folder = again.detail.offer.folder.clone();
    center.offer(&stranger);
    let told = client.run(&["get", "d2"])?;
    ensure!(told.code == 3 && told.err.contains("d1"), "{}: {}", told.code, told.err);
    client.has(&again)
}

#[test]
fn expired_and_superseded_offers_are_told_and_not_pulled() -> Result<()> {
    let package = Package::small()?;
    let center = Center::start()?;
    center.now(&package, Status::Expired);
    let client = Client::at(&center.address(), &[])?;
    let told = client.well(&["get", "--all"])?;
    ensure!(told.err.contains("EXPIRED"), "{}", told.err);
    let told = client.run(&["get", "d1"])?;
    ensure!(told.code == 6 && told.err.contains("expired"), "{}: {}", told.code, told.err);
    center.now(&package, Status::Superseded);
    ensure!(client.well(&["list"])?.err.contains("SUPERSEDED"));
    let told = client.run(&["get", "d9"])?;
    ensure!(told.code == 4, "{}: {}", told.code, told.err);
    client.has_none()
}

#[test]
fn an_order_that_is_followed_comes_when_it_is_offered() -> Result<()> {
    let center = Center::start()?;
    let client = Client::at(&center.address(), &[])?;
    let mut follow = client.command(&["get", "--follow", "--acknowledge"])?.stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(follow.stderr.take().context("a pipe")?).lines();
    let package = Package::small()?;
    center.offer(&package);
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("acknowledged"))).context("a line")??;
    ensure!(line.contains("d1"), "{line}");
    client.has(&package)?;
    let pid = rustix::process::Pid::from_child(&follow);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    drop(lines);
    ensure!(follow.wait()?.code() == Some(130));
    Ok(())
}

#[test]
fn every_page_of_a_long_feed_is_read_and_a_hundred_packages_come() -> Result<()> {
    let center = Center::start()?;
    let base = Package::of(Recipe { payload: vec![("a.txt", b"a".to_vec(), None)], ..Recipe::default() })?;
    // 450 offers on three pages; only the last one is still open.
    for number in 0..449 {
        let mut offer = base.detail.offer.clone();
        (offer.delivery, offer.folder, offer.status) =
            (format!("x{number}"), format!("F{number}"), Status::Acknowledged);
        center.world().feed.push(offer);
    }
    center.offer(&base);
    let client = Client::at(&center.address(), &[])?;
    client.well(&["get", "--all"])?;
    client.has(&base)?;
    let listed: serde_json::Value = serde_json::from_str(&client.well(&["list", "--offline", "--json"])?.out)?;
    ensure!(listed.as_array().map(Vec::len) == Some(450));
    Ok(())
}

#[test]
fn a_disk_that_is_full_is_said_before_the_first_byte() -> Result<()> {
    let mut package = Package::small()?;
    for entry in &mut package.detail.entries {
        if entry.path == "data/S1.cram" {
            entry.size = 1 << 60;
        }
    }
    let (center, client) = pair(&package)?;
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 7 && told.err.contains("are free"), "{}: {}", told.code, told.err);
    ensure!(center.world().asked.is_empty());
    Ok(())
}

#[test]
fn what_was_changed_here_is_found_by_verify() -> Result<()> {
    let package = Package::small()?;
    let (_center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    let path = client.pulled("packages/S1_d1/data/S1.cram");
    let mut bytes = fs::read(&path)?;
    bytes[77] ^= 1;
    fs::write(&path, &bytes)?;
    let told = told(client.command(&["verify"])?.output()?)?;
    ensure!(told.code == 3 && told.out.contains("data/S1.cram"), "{}: {}", told.code, told.out);
    // And nothing is said to the center of it.
    ensure!(client.run(&["acknowledge"])?.code == 3);
    Ok(())
}
