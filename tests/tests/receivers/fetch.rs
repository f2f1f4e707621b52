//! Fetching with programs that are not ours: whole packages, what is missing of one, and what an index leads to.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_tests::receivers::{Receivers, sha256sum};
use kentai_tests::tool;

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_of_an_offer_once_and_waits_for_the_next() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, first) = site.offered("S1", "calls\n").await?;
    let feed = site.door.json("dc1", "/api/v1/offers")?;
    let offer = &feed["items"][0];
    ensure!(feed["items"].as_array().map(Vec::len) == Some(1), "{feed}");
    ensure!(
        offer["delivery"] == first.as_str() && offer["status"] == "offered" && offer["specimen"] == "S1",
        "{offer}"
    );
    let next = feed["next"].as_str().context("a cursor")?.to_owned();
    let again = site.door.json("dc1", &format!("/api/v1/offers?after={next}"))?;
    ensure!(again["items"].as_array().is_some_and(Vec::is_empty) && again["next"] == next.as_str(), "{again}");
    ensure!(site.door.json("dc2", "/api/v1/offers")?["items"].as_array().is_some_and(Vec::is_empty), "a foreign feed");
    // A poll that waits hears of the next one.
    let (address, bearer) =
        (format!("{}/api/v1/offers?after={next}&wait=60", site.door.base()), site.door.bearer("dc1")?);
    let waiting = tokio::task::spawn_blocking(move || {
        tool("curl", &["--silent", "--max-time", "100", "--header", &bearer, &address], Path::new("."))
    });
    let (_, second) = site.offered("S2", "calls\n").await?;
    let heard: serde_json::Value = serde_json::from_str(&waiting.await??)?;
    ensure!(heard["items"][0]["delivery"] == second.as_str(), "{heard}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_fetched_file_by_file_is_whole() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let place = site.door.place("got")?;
    for entry in offer["entries"].as_array().context("entries")? {
        let (path, url) = (entry["path"].as_str().context("a path")?, entry["url"].as_str().context("an address")?);
        let to = place.join(path);
        let to = to.to_string_lossy();
        site.door.curl("dc1", url, &["--fail", "--create-dirs", "--output", &to])?;
        ensure!(sha256sum(Path::new(&*to))? == entry["sha256"], "{path} has other bytes");
    }
    tool("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], &place)?;
    tool("sha256sum", &["--check", "--strict", "--quiet", "tagmanifest-sha256.txt"], &place)?;
    tool("md5sum", &["--check", "--strict", "--quiet", "manifest-md5.txt"], &place)?;
    ensure!(std::fs::read_to_string(place.join("data/S1.vcf"))? == "calls\n");
    site.until_event(&id, "delivered").await?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gets_no_byte_has_fetched_nothing() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let path = format!("/deliveries/{id}/data/S1.vcf");
    let (_, head) = site.door.status("dc1", &path, &["--head"])?;
    let tag = head.to_lowercase().lines().find_map(|line| Some(line.strip_prefix("etag: ")?.trim().to_owned()));
    let same = format!("If-None-Match: {}", tag.context("an entity tag")?);
    let cases: [(&[&str], u16); 4] = [
        (&["--head"], 200),
        (&["--header", &same], 304),
        (&["--header", "If-Match: \"other\""], 412),
        (&["--range", "100-"], 416),
    ];
    for (more, wanted) in cases {
        let (status, said) = site.door.status("dc1", &path, more)?;
        ensure!(status == wanted, "{more:?}: {status} {said}");
        ensure!(site.events(&id)? == ["offered"], "{more:?}: {:?}", site.events(&id)?);
    }
    ensure!(site.door.status("dc1", &path, &["--range", "0-0"])?.0 == 206);
    ensure!(site.events(&id)? == ["offered", "pull_began"], "{:?}", site.events(&id)?);
    site.check().await
}

/// What a program fetched beneath `place` is the package, says `sha256sum`.
fn is_whole(place: &Path) -> Result<()> {
    tool("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], place)?;
    tool("sha256sum", &["--check", "--strict", "--quiet", "tagmanifest-sha256.txt"], place)?;
    Ok(())
}

/// More than any buffer between two programs.
fn large() -> String {
    let mut text = String::new();
    for line in 0..300_000 {
        text.push_str(&format!("chr1\t{line}\t.\tA\tC\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn wget_aria2_and_rclone_take_whole_packages() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", &large()).await?;
    let (bearer, base) = (site.door.bearer("dc1")?, site.door.base());
    let place = site.door.place("wget")?;
    let address = format!("{base}/deliveries/{id}/");
    let header = format!("--header={bearer}");
    tool(
        "wget",
        &["--quiet", "--recursive", "--no-parent", "--no-host-directories", "--cut-dirs=2", &header, &address],
        &place,
    )?;
    is_whole(&place)?;
    // A file that was cut off goes on where it stopped.
    let file = place.join("data/S1.vcf");
    let whole = std::fs::read(&file)?;
    std::fs::write(&file, &whole[..whole.len() / 3])?;
    tool("wget", &["--quiet", "--continue", &header, &format!("{address}data/S1.vcf")], &place.join("data"))?;
    is_whole(&place)?;
    let place = site.door.place("aria2")?;
    let metalink = place.join("package.meta4");
    let path = metalink.to_string_lossy().into_owned();
    site.door.curl("dc1", &format!("/deliveries/{id}.meta4"), &["--fail", "--output", &path])?;
    let four =
        ["--quiet", "--max-connection-per-server=4", "--split=4", "--min-split-size=1M", "--check-integrity=true"];
    tool("aria2c", &[&four[..], &[&header, "--metalink-file", &path]].concat(), &place)?;
    let folder =
        site.door.json("dc1", &format!("/api/v1/offers/{id}"))?["folder"].as_str().context("a folder")?.to_owned();
    is_whole(&place.join(folder))?;
    let place = site.door.place("rclone")?;
    let (url, to) = (format!("--http-url={address}"), place.to_string_lossy().into_owned());
    let with = format!("--http-headers=Authorization,{}", bearer.trim_start_matches("Authorization: "));
    tool("rclone", &["--config", "/dev/null", &url, &with, "copy", ":http:", &to], &place)?;
    is_whole(&place)?;
    tool("rclone", &["--config", "/dev/null", &url, &with, "check", "--download", ":http:", &to], &place)?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bag_with_holes_is_filled_from_its_own_list() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let place = site.door.place("holes")?;
    for tag in
        ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-md5.txt", "tagmanifest-sha256.txt", "fetch.txt"]
    {
        let to = place.join(tag).to_string_lossy().into_owned();
        site.door.curl("dc1", &format!("/deliveries/{id}/{tag}"), &["--fail", "--output", &to])?;
    }
    let fetch = std::fs::read_to_string(place.join("fetch.txt"))?;
    for line in fetch.lines() {
        let [address, size, path] = line.split(' ').collect::<Vec<_>>()[..] else { anyhow::bail!("a line: {line}") };
        let header = site.door.bearer("dc1")?;
        tool("curl", &["--fail", "--silent", "--create-dirs", "--header", &header, "--output", path, address], &place)?;
        ensure!(std::fs::metadata(place.join(path))?.len() == size.parse::<u64>()?, "{path} has another size");
    }
    is_whole(&place)?;
    site.check().await
}
