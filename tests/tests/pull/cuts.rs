//! Cut, held, killed, replaced under way: it goes on where it was, asks for nothing twice, and mixes nothing.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kentai_tests::proxy::{Proxy, Way};

use super::center::{Center, Fault};
use super::package::{Package, Recipe, noise};
use super::{Client, told};

/// 1.02 times what there is, for the heads of answers too.
fn most(package: &Package) -> u64 {
    package.bytes() * 102 / 100
}

fn through(package: &Package, more: &[&str]) -> Result<(Center, Proxy, Client)> {
    let center = Center::start()?;
    center.offer(package);
    let proxy = Proxy::before(center.port())?;
    let client = Client::at(&proxy.address(), more)?;
    Ok((center, proxy, client))
}

#[test]
fn cut_at_random_places_it_goes_on_with_what_is_missing() -> Result<()> {
    for seed in [1, 2, 3] {
        let package = Package::large(seed, 6 << 20)?;
        let (_center, proxy, client) = through(&package, &[])?;
        let before = proxy.given();
        proxy.set(Way::Cut { seed: seed * 1000, most: 1 << 20 });
        client.well(&["get", "--all", "--parallel", "3", "--piece", "2"])?;
        client.has(&package)?;
        let (given, cuts) = (proxy.given() - before, proxy.cuts());
        ensure!(cuts >= 5, "only {cuts} cuts");
        ensure!(given <= most(&package), "seed {seed}: {given} bytes for {} in {cuts} cuts", package.bytes());
    }
    Ok(())
}

#[test]
fn cut_for_good_it_goes_on_with_the_next_call() -> Result<()> {
    let package = Package::large(4, 4 << 20)?;
    let (_center, proxy, client) = through(&package, &[])?;
    let before = proxy.given();
    let mut calls = 0;
    loop {
        proxy.set(Way::Cut { seed: calls, most: 700_000 });
        calls += 1;
        ensure!(calls < 60, "it does not come to an end");
        // A single try: every cut ends the call.
        let told = client.run(&["get", "--all", "--tries", "1", "--parallel", "1"])?;
        if told.code == 0 {
            break;
        }
        ensure!(told.code == 7, "{}: {}", told.code, told.err);
        client.has_none()?;
    }
    client.has(&package)?;
    ensure!(calls > 3, "{calls} calls");
    // Each call asks for the feed and the offer again, which is no part of the package.
    let talk = calls * 12_000;
    let given = proxy.given() - before;
    ensure!(given <= most(&package) + talk, "{given} bytes for {} in {calls} calls", package.bytes());
    Ok(())
}

/// Bytes that the journals say are here.
fn written(progress: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(progress)? {
        let text = fs::read_to_string(entry?.path())?;
        let counts = text.lines().skip(1).filter_map(|line| line.split(' ').next()?.parse::<u64>().ok());
        sum += counts.sum::<u64>();
    }
    Ok(sum)
}

#[test]
fn killed_in_the_middle_it_goes_on_with_the_next_call() -> Result<()> {
    let package = Package::large(5, 8 << 20)?;
    let (_center, proxy, client) = through(&package, &[])?;
    let before = proxy.given();
    proxy.set(Way::Hold { after: before + (5 << 20) });
    let mut first = client.command(&["get", "--all", "--piece", "2"])?.stderr(Stdio::null()).spawn()?;
    proxy.wait_until_held()?;
    // Everything that was given is on its way into the files: waited for until it is there.
    let progress = client.pulled("progress/d1");
    let until = Instant::now() + Duration::from_secs(60);
    while written(&progress)? + 100_000 < proxy.given() - before {
        ensure!(Instant::now() < until, "{} bytes are here of {}", written(&progress)?, proxy.given() - before);
        std::thread::yield_now();
    }
    first.kill()?;
    ensure!(first.wait()?.signal() == Some(9));
    client.has_none()?;
    proxy.set(Way::Open);
    client.well(&["get", "--all", "--piece", "2"])?;
    client.has(&package)?;
    let given = proxy.given() - before;
    ensure!(given <= most(&package) + 24_000, "{given} bytes for {}", package.bytes());
    Ok(())
}

#[test]
fn of_two_at_once_one_waits_for_another_time() -> Result<()> {
    let package = Package::large(6, 1 << 20)?;
    let (_center, proxy, client) = through(&package, &[])?;
    proxy.set(Way::Hold { after: proxy.given() + 300_000 });
    let mut first = client.command(&["get", "--all"])?.stderr(Stdio::null()).spawn()?;
    proxy.wait_until_held()?;
    let second = client.run(&["get", "--all"])?;
    ensure!(second.code == 6 && second.err.contains("another `kentai pull`"), "{}: {}", second.code, second.err);
    // Looking is allowed.
    let listed = client.well(&["list"])?;
    ensure!(listed.out.contains("d1"), "{}", listed.out);
    let pid = rustix::process::Pid::from_child(&first);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    ensure!(first.wait()?.code() == Some(130));
    proxy.set(Way::Open);
    client.well(&["get", "--all"])?;
    client.has(&package)
}

#[test]
fn replaced_under_way_it_begins_anew_and_mixes_nothing() -> Result<()> {
    let first = Package::large(7, 4 << 20)?;
    let (center, proxy, client) = through(&first, &[])?;
    proxy.set(Way::Hold { after: proxy.given() + (2 << 20) });
    let mut child = client.command(&["get", "--all", "--parallel", "2", "--piece", "1"])?;
    let child = child.stderr(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    proxy.wait_until_held()?;
    // The same names and lengths, other bytes; the client meets them with its next request.
    let second = Package::large(8, 4 << 20)?;
    center.offer(&second);
    proxy.set(Way::Open);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    ensure!(told(child.wait_with_output()?)?.code == 130);
    client.well(&["get", "--all", "--parallel", "2", "--piece", "1"])?;
    client.has(&second)
}

#[test]
fn replaced_between_two_pieces_of_one_call_it_begins_anew() -> Result<()> {
    let first = Package::large(9, 4 << 20)?;
    let center = Center::start()?;
    center.offer(&first);
    let client = Client::at(&center.address(), &[])?;
    // The third piece is refused for a second: long enough to see it asked for.
    center.fault("data/S1.cram", Fault::Busy { times: 3, after: "1" });
    let child = client.command(&["get", "--all", "--parallel", "1", "--piece", "1"])?.stderr(Stdio::piped()).spawn()?;
    let until = Instant::now() + Duration::from_secs(60);
    while !center.world().asked.iter().any(|(path, _)| path == "data/S1.cram") {
        ensure!(Instant::now() < until, "it was not asked for");
        std::thread::yield_now();
    }
    let second = Package::large(10, 4 << 20)?;
    center.offer(&second);
    let told = told(child.wait_with_output()?)?;
    ensure!(told.code == 0 && told.err.contains("changed while it was pulled"), "{}: {}", told.code, told.err);
    client.has(&second)
}

#[test]
fn a_file_of_nothing_and_files_of_one_piece_exactly() -> Result<()> {
    let payload = vec![
        ("empty", Vec::new(), None),
        ("one", noise(1, 1), None),
        ("piece", noise(2, 1 << 20), None),
        ("more", noise(3, (1 << 20) + 1), None),
    ];
    let package = Package::of(Recipe { payload, ..Recipe::default() })?;
    let (center, client) = super::pair(&package)?;
    client.well(&["get", "--all", "--piece", "1"])?;
    client.has(&package)?;
    let world = center.world();
    let ranges: Vec<_> = world.asked.iter().filter(|(path, _)| path == "data/more").map(|(_, range)| range).collect();
    ensure!(ranges.len() == 2 && ranges.contains(&&Some("bytes=1048576-1048576".to_owned())), "{ranges:?}");
    ensure!(!world.asked.iter().any(|(path, _)| path == "data/empty"));
    Ok(())
}
