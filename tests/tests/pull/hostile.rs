//! A center, or something before it, that does not keep to the protocol: nothing wrong gets a place, and once it does again, all is well.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};
use kentai_engine::handoff::offer::Entry;

use super::center::{Center, Fault};
use super::package::{Package, Recipe};
use super::{Client, pair};

const FILE: &str = "data/S1.cram";

/// A fault, in a call that has to end with this code and these words; then mended.
fn check(fault: Fault, code: i32, words: &str) -> Result<()> {
    let package = Package::large(11, 3 << 20)?;
    let (center, client) = pair(&package)?;
    center.fault(FILE, fault.clone());
    let told = client.run(&["get", "--all", "--tries", "2", "--piece", "1"])?;
    ensure!(told.code == code && told.err.contains(words), "{fault:?}: {}: {}", told.code, told.err);
    client.has_none()?;
    let room: u64 = fs::metadata(client.pulled("packages/.S1_d1.partial").join(FILE)).map_or(0, |facts| facts.len());
    ensure!(room <= 3 << 20, "{fault:?}: {room} bytes were written");
    center.mend();
    client.well(&["get", "--all", "--piece", "1"])?;
    client.has(&package)
}

#[test]
fn wrong_bytes_are_fetched_once_more_and_then_refused() -> Result<()> {
    check(Fault::WrongBytes, 3, "came twice")
}

#[test]
fn lengths_that_were_not_offered_are_refused() -> Result<()> {
    check(Fault::Shorter, 7, "bytes are sent")?;
    check(Fault::Longer, 7, "bytes are sent")
}

#[test]
fn a_body_without_end_is_left() -> Result<()> {
    check(Fault::Endless, 7, "more bytes are sent than were offered")
}

#[test]
fn ranges_that_do_not_exist_or_are_others_are_refused() -> Result<()> {
    check(Fault::NotSatisfiable, 7, "other bytes than are served")?;
    check(Fault::OtherRange, 7, "came for")
}

#[test]
fn packed_or_untagged_bytes_are_refused() -> Result<()> {
    check(Fault::Gzip, 7, "packed as `gzip`")?;
    check(Fault::NoTag, 7, "without its ETag")
}

#[test]
fn a_file_that_is_not_there_is_said() -> Result<()> {
    check(Fault::Gone, 4, "no such file")
}

#[test]
fn a_center_that_gives_no_ranges_gives_whole_files() -> Result<()> {
    let package = Package::large(12, 3 << 20)?;
    let (center, client) = pair(&package)?;
    center.fault(FILE, Fault::NoRanges);
    client.well(&["get", "--all", "--piece", "1"])?;
    client.has(&package)
}

#[test]
fn a_token_is_not_taken_along_to_another_host() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    let elsewhere = Center::start()?;
    elsewhere.offer(&package);
    center.fault(FILE, Fault::Redirect(format!("{}/deliveries/d1/{FILE}", elsewhere.address())));
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 7 && told.err.contains("is not followed"), "{}: {}", told.code, told.err);
    // Nor by an address in the offer itself.
    center.mend();
    let mut other = package.clone();
    for entry in &mut other.detail.entries {
        entry.url = format!("{}{}", elsewhere.address(), entry.url);
    }
    center.offer(&other);
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 7 && told.err.contains("not the center"), "{}: {}", told.code, told.err);
    ensure!(elsewhere.world().tokens.is_empty() && elsewhere.world().asked.is_empty(), "somebody else was asked");
    client.has_none()
}

#[test]
fn a_busy_center_is_asked_when_it_said() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    center.fault(FILE, Fault::Busy { times: 2, after: "1" });
    let begun = std::time::Instant::now();
    client.well(&["get", "--all", "--tries", "4"])?;
    ensure!(begun.elapsed() >= std::time::Duration::from_secs(2), "it was asked too early");
    client.has(&package)
}

#[test]
fn offers_that_lead_out_of_the_folder_are_not_taken() -> Result<()> {
    let package = Package::small()?;
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut other = package.clone();
        change(&mut other.detail.entries);
        other
    };
    let named = |path: &str| with(&|entries| entries[0].path = path.to_owned());
    for (other, words) in [
        (named("../x"), "../x"),
        (named("data/../../x"), "would lead out"),
        (named("/etc/x"), "/etc/x"),
        (named("data/a\nb"), "control"),
        (named("notes.txt"), "neither a tag file"),
        (with(&|entries| entries.push(entries[1].clone())), "another name"),
        (with(&|entries| entries[1].sha256 = "x".into()), "SHA-256"),
        (with(&|entries| entries.retain(|entry| entry.path != "manifest-sha256.txt")), "names the package"),
    ] {
        let (center, client) = pair(&other)?;
        let told = client.run(&["get", "--all"])?;
        ensure!(told.code == 3 && told.err.contains(words), "{words}: {}: {}", told.code, told.err);
        ensure!(center.world().asked.is_empty(), "{words}: bytes were asked for");
        client.has_none()?;
        ensure!(!client.path("x").exists() && !client.pulled("x").exists() && !client.pulled("packages/x").exists());
    }
    let mut other = package.clone();
    other.detail.offer.folder = "../out".into();
    let (_center, client) = pair(&other)?;
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 3 && told.err.contains("cannot be taken"), "{}: {}", told.code, told.err);
    ensure!(client.run(&["list"])?.code == 3, "it is forgotten");
    Ok(())
}

#[test]
fn links_that_somebody_planted_are_not_followed() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    center.fault(FILE, Fault::Gone);
    client.run(&["get", "--all"])?;
    center.mend();
    let partial = client.pulled("packages/.S1_d1.partial");
    let outside = client.path("outside");
    fs::create_dir(&outside)?;
    fs::write(outside.join("S1.cram"), "theirs")?;
    // The file, then the folder above it.
    let file = partial.join(FILE);
    let _ = fs::remove_file(&file);
    fs::create_dir_all(partial.join("data"))?;
    symlink(outside.join("S1.cram"), &file)?;
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 6 && told.err.contains("link"), "{}: {}", told.code, told.err);
    fs::remove_dir_all(partial.join("data"))?;
    symlink(&outside, partial.join("data"))?;
    let told = client.run(&["get", "--all"])?;
    ensure!(told.code == 0 || told.code == 6, "{}: {}", told.code, told.err);
    ensure!(fs::read_to_string(outside.join("S1.cram"))? == "theirs", "it was written through a link");
    ensure!(fs::read_dir(&outside)?.count() == 1);
    Ok(())
}

#[test]
fn a_package_that_contradicts_its_offer_is_not_taken() -> Result<()> {
    let package = Package::small()?;
    let changed = |change: &dyn Fn(&mut Package)| {
        let mut other = package.clone();
        change(&mut other);
        other
    };
    let foreign = Package::of(Recipe { delivery: "d2", ..Recipe::default() })?;
    for (other, words) in [
        (changed(&|it| it.detail.offer.participant = Some("P2".into())), "participant"),
        (changed(&|it| it.detail.offer.specimen = "S2".into()), "specimen"),
        // All of another delivery's files under this one's name.
        (
            changed(&|it| {
                it.files.clone_from(&foreign.files);
                it.detail.entries.clone_from(&foreign.detail.entries);
                it.detail.offer.manifest_sha256.clone_from(&foreign.detail.offer.manifest_sha256);
                for entry in &mut it.detail.entries {
                    entry.url = entry.url.replace("/d2/", "/d1/");
                }
            }),
            "of delivery d2",
        ),
        (changed(&|it| it.detail.entries.retain(|entry| entry.path != "data/qc/S1.json")), "does not list"),
        (changed(&|it| it.detail.entries.retain(|entry| entry.path != "bagit.txt")), "bagit.txt"),
    ] {
        let (_center, client) = pair(&other)?;
        let told = client.run(&["get", "--all"])?;
        ensure!(told.code == 3 && told.err.contains(words), "{words}: {}: {}", told.code, told.err);
        client.has_none()?;
    }
    Ok(())
}

#[test]
fn an_answer_without_end_does_not_fill_the_memory() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    // Tag files are limited by what was offered of them, as all files are.
    center.fault("manifest-sha256.txt", Fault::Endless);
    let told = client.run(&["get", "--all", "--tries", "1"])?;
    ensure!(told.code == 7 && told.err.contains("more bytes"), "{}: {}", told.code, told.err);
    let _: &Client = &client;
    Ok(())
}
