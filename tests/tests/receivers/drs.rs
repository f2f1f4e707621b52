//! GA4GH DRS 1.5: what an id leads to, what it tells whoever it is not for, and how it says no. curl asks; coreutils reckon.

mod clients;
mod links;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_engine::scheduler::center::request::Request;
use kentai_tests::house::{Act, operator, workflow};
use kentai_tests::receivers::{Receivers, sha256sum};
use kentai_tests::tool;
use serde_json::{Value, json};

pub(super) const BASE: &str = "/ga4gh/drs/v1";

/// DRS ids of a delivery: its own, and that of one of its files.
pub(super) fn ids(site: &Receivers, delivery: &str, path: &str) -> Result<(String, String)> {
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{delivery}"))?;
    let entries = offer["entries"].as_array().context("entries")?;
    let entry = entries.iter().find(|entry| entry["path"] == path).context("the file")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok((format!("d-{}", text(&offer["manifest_sha256"])), format!("f-{}", text(&entry["sha256"]))))
}

fn object(site: &Receivers, id: &str) -> Result<Value> {
    site.door.json("dc1", &format!("{BASE}/objects/{id}"))
}

/// A link to a file's bytes, as `/access` gives it, without the address of the door.
fn link(site: &Receivers, center: &str, id: &str) -> Result<String> {
    let said = site.door.json(center, &format!("{BASE}/objects/{id}/access/https"))?;
    let url = said["url"].as_str().context("a url")?;
    Ok(url.strip_prefix(&site.door.base()).context("an address of this door")?.to_owned())
}

fn checksum<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    object["checksums"].as_array()?.iter().find(|sum| sum["type"] == kind)?["checksum"].as_str()
}

/// Fetches every file beneath a bundle by its links and reckons every bundle's checksums anew, both with programs of others; the names
/// of the files.
fn walk(site: &Receivers, id: &str, place: &Path) -> Result<Vec<String>> {
    let bundle = object(site, id)?;
    let (mut names, mut size) = (Vec::new(), 0);
    let (mut sha256, mut md5) = (Vec::new(), Vec::new());
    for content in bundle["contents"].as_array().context("a bundle")? {
        let (child, name) = (content["id"].as_str().context("an id")?, content["name"].as_str().context("a name")?);
        let member = object(site, child)?;
        ensure!(content["drs_uri"] == json!([member["self_uri"]]), "{content}");
        if member["contents"].is_array() {
            names.extend(walk(site, child, place)?.iter().map(|inner| format!("{name}/{inner}")));
        } else {
            let to = place.join("object").to_string_lossy().into_owned();
            site.door.curl("", &link(site, "dc1", child)?, &["--fail", "--output", &to])?;
            ensure!(checksum(&member, "sha-256") == Some(&sha256sum(Path::new(&to))?), "{member}");
            ensure!(Some(std::fs::metadata(&to)?.len()) == member["size"].as_u64(), "{member}");
            names.push(name.to_owned());
        }
        size += member["size"].as_u64().context("a size")?;
        sha256.push(checksum(&member, "sha-256").context("a digest")?.to_owned());
        md5.push(checksum(&member, "md5").context("a digest")?.to_owned());
    }
    for (kind, program, mut sums) in [("sha-256", "sha256sum", sha256), ("md5", "md5sum", md5)] {
        sums.sort();
        std::fs::write(place.join("sums"), sums.concat())?;
        let said = tool(program, &["sums"], place)?;
        ensure!(checksum(&bundle, kind) == said.split(' ').next(), "{kind} of {bundle}");
    }
    ensure!(bundle["size"].as_u64() == Some(size), "{bundle}");
    Ok(names)
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_what_their_files_are_down_to_the_last_byte() -> Result<()> {
    let site = Receivers::open().await?;
    let (run, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let place = site.door.place("got")?;
    let found = object(&site, &file)?;
    ensure!(found["self_uri"] == format!("drs://127.0.0.1/{file}") && found["name"] == "S1.vcf", "{found}");
    let bundle = object(&site, &delivery)?;
    ensure!(bundle["aliases"][0] == id.as_str(), "{bundle}");
    let specimen = bundle["aliases"][1].as_str().context("its specimen")?.to_owned();
    let names = walk(&site, &specimen, &place)?;
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let folder = offer["folder"].as_str().context("a folder")?;
    let paths: Vec<String> = offer["entries"]
        .as_array()
        .context("entries")?
        .iter()
        .map(|entry| format!("{folder}/{}", entry["path"].as_str().unwrap_or_default()))
        .collect();
    ensure!(names == paths, "{names:?}\nand\n{paths:?}");
    // All at once: what lies within is said at every depth; otherwise only at the first.
    let whole = site.door.json("dc1", &format!("{BASE}/objects/{specimen}?expand=true"))?;
    ensure!(
        whole["contents"][0]["contents"].as_array().is_some_and(|all| all.iter().any(|one| one["contents"].is_array()))
    );
    ensure!(object(&site, &specimen)?["contents"][0]["contents"].is_null());
    let (_, posted) = site.door.post("dc1", &format!("{BASE}/objects/{specimen}"), "{\"expand\":true}")?;
    ensure!(posted == whole, "{posted}");
    // Other content, other ids: what the old ones named is not there any more.
    site.house.hands.plan("a", [Act::Make(vec![("calls.vcf", "others\n".into()), ("notes.txt", "n\n".into())])]);
    site.house.handle().retry(&run, Some("a"), &operator()).await?;
    ensure!(site.house.end(&run).await? == "succeeded");
    for old in [&delivery, &file, &specimen] {
        let (status, _) = site.door.status("dc1", &format!("{BASE}/objects/{old}"), &[])?;
        ensure!(status == 404, "{old}: {status}");
    }
    site.check().await
}

/// Gives the same specimen's file once more, as another step.
const MORE: &str = "  a:
    outputs: { o: { path: calls.vcf } }
    script: x
  more:
    handoff: { to: dc1, files: [\"${{ steps.a.o }}\"] }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_specimen_has_another_id_when_something_is_added() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, first) = site.offered("S1", "calls\n").await?;
    let (delivery, _) = ids(&site, &first, "data/S1.vcf")?;
    let specimen = |bundle: &Value| bundle["aliases"][1].as_str().unwrap_or_default().to_owned();
    let before = specimen(&object(&site, &delivery)?);
    ensure!(object(&site, &before)?["contents"].as_array().map(Vec::len) == Some(1));
    site.house.hands.plan("a", [Act::Make(vec![("calls.vcf", "more\n".into())])]);
    let run = site.house.submit(&workflow(MORE), &kentai_tests::house::specimen("S1")).await?;
    ensure!(site.house.end(&run).await? == "succeeded", "{}", site.house.why(&run, None).await?);
    let after = specimen(&object(&site, &delivery)?);
    let (status, _) = site.door.status("dc1", &format!("{BASE}/objects/{before}"), &[])?;
    ensure!(before != after && status == 404, "{before} is now {after}, and still there: {status}");
    let names = walk(&site, &after, &site.door.place("got")?)?;
    let unlike: std::collections::BTreeSet<&String> = names.iter().collect();
    ensure!(
        object(&site, &after)?["contents"].as_array().map(Vec::len) == Some(2) && unlike.len() == names.len(),
        "{names:?}"
    );
    site.check().await
}

/// Without what differs by itself: the time.
fn timeless(said: &str) -> String {
    said.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_object_is_byte_for_byte_one_that_is_not_there() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let bundle = object(&site, &delivery)?;
    let folders = bundle["contents"].as_array().context("contents")?;
    let folder = folders.iter().find(|content| content["name"] == "data").context("a folder")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = site.door.place("sent")?;
    for theirs in [delivery, file, text(&bundle["aliases"][1]), text(&folder["id"])] {
        // As long as the other: the answer repeats it.
        let missing = theirs.replace(|c: char| c.is_ascii_hexdigit() && c != 'f' && c != 'd', "0");
        let sent = |id: &str, body: &str| -> Result<String> {
            let path = place.join(if id == theirs { "theirs" } else { "missing" });
            std::fs::write(&path, body.replace("ID", id))?;
            Ok(format!("@{}", path.display()))
        };
        for (path, body) in [
            ("/objects/ID", ""),
            ("/objects/ID?expand=true", ""),
            ("/objects/ID", "{}"),
            ("/objects/ID/access/https", ""),
            ("/objects/ID/access/https", "{}"),
            ("/objects", "{\"bulk_object_ids\":[\"ID\"]}"),
            (
                "/objects/access",
                "{\"bulk_object_access_ids\":[{\"bulk_object_id\":\"ID\",\"bulk_access_ids\":[\"https\"]}]}",
            ),
        ] {
            let ask = |id: &str| -> Result<(u16, String)> {
                let data = sent(id, body)?;
                let post = ["--header", "Content-Type: application/json", "--data-binary", &data];
                let more: &[&str] = if body.is_empty() { &[] } else { &post };
                let path = format!("{BASE}{}", path.replace("ID", id));
                let (status, said) = site.door.status("dc2", &path, &[&["--include"], more].concat())?;
                Ok((status, timeless(&said).replace(id, "ID")))
            };
            let (foreign, nothing) = (ask(&theirs)?, ask(&missing)?);
            ensure!(foreign == nothing, "{path}: {foreign:?}\nand\n{nothing:?}");
            let bulk = path == "/objects" || path == "/objects/access";
            ensure!(foreign.0 == if bulk { 200 } else { 404 }, "{path}: {foreign:?}");
            ensure!(!bulk || foreign.1.contains("\"resolved\":0"), "{foreign:?}");
        }
        // What one may show to learn more is no secret, and the same for everything.
        let options = |id: &str| site.door.curl("", &format!("{BASE}/objects/{id}"), &["--request", "OPTIONS"]);
        ensure!(options(&theirs)?.replace(&theirs, "ID") == options(&missing)?.replace(&missing, "ID"));
        ensure!(options(&theirs)?.contains("\"BearerAuth\""));
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_asked_for_at_once_and_what_is_missing_stands_beside() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let none = format!("f-{}", "0".repeat(64));
    let body = json!({ "bulk_object_ids": [file, delivery, none, "odd id"] }).to_string();
    let (status, said) = site.door.post("dc1", &format!("{BASE}/objects"), &body)?;
    ensure!(status == 200 && said["summary"] == json!({"requested": 4, "resolved": 2, "unresolved": 2}), "{said}");
    ensure!(said["unresolved_drs_objects"] == json!([{"error_code": 404, "object_ids": [none, "odd id"]}]), "{said}");
    ensure!(said["resolved_drs_object"][0] == object(&site, &file)?, "{said}");
    let of = |id: &str, ways: &[&str]| json!({ "bulk_object_id": id, "bulk_access_ids": ways });
    let wish = json!({ "bulk_object_access_ids": [of(&file, &["https", "s3"]), of(&none, &["https"])] });
    let (status, said) = site.door.post("dc1", &format!("{BASE}/objects/access"), &wish.to_string())?;
    ensure!(status == 200 && said["summary"] == json!({"requested": 3, "resolved": 1, "unresolved": 2}), "{said}");
    let url = said["resolved_drs_object_access_urls"][0]["url"].as_str().context("a url")?;
    ensure!(tool("curl", &["--silent", "--fail", url], Path::new("."))? == "calls\n");
    let short = json!({ "bulk_object_ids": [file] }).to_string();
    let padded = |size: usize| short.clone() + &" ".repeat(size - short.len());
    for (size, wanted) in [(1 << 20, 200), ((1 << 20) + 1, 413)] {
        let (status, said) = site.door.post("dc1", &format!("{BASE}/objects"), &padded(size))?;
        ensure!(status == wanted, "{size} bytes: {status} {said}");
    }
    // One more than it says that it takes.
    let info: Value = serde_json::from_str(&site.door.curl("", &format!("{BASE}/service-info"), &["--fail"])?)?;
    let most = info["maxBulkRequestLength"].as_u64().and_then(|most| usize::try_from(most).ok()).context("a number")?;
    for (count, wanted) in [(most, 200), (most + 1, 413)] {
        let body = json!({ "bulk_object_ids": vec![&file; count] }).to_string();
        let (status, said) = site.door.post("dc1", &format!("{BASE}/objects"), &body)?;
        ensure!(status == wanted, "{count}: {status} {said}");
        let wish = json!({ "bulk_object_access_ids": [of(&file, &vec!["https"; count])] }).to_string();
        ensure!(site.door.post("dc1", &format!("{BASE}/objects/access"), &wish)?.0 == wanted, "{count} addresses");
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_no_is_an_error_as_drs_writes_it() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let json = ["--header", "Content-Type: application/json", "--data-binary"];
    let post = |body: &'static str| [&json[..], &[body]].concat();
    let objects = format!("/objects/{file}");
    let (access, nowhere) = (format!("/objects/{delivery}/access/https"), format!("{objects}/access/s3"));
    let cases: [(&str, &str, Vec<&str>, u16); 13] = [
        ("", &objects, vec![], 401),
        ("", "/objects", post("{\"bulk_object_ids\":[]}"), 401),
        ("", &objects, post("{\"passports\":[\"a.b.c\"]}"), 401),
        ("dc1", &format!("{objects}?expand=perhaps"), vec![], 400),
        ("dc1", &objects, post("[]"), 400),
        ("dc1", &objects, post("{\"expand\":null}"), 400),
        ("dc1", "/objects", post("{\"bulk_object_ids\":null}"), 400),
        ("dc1", &objects, vec!["--data-binary", "{}"], 400),
        ("dc1", &access, vec![], 404),
        ("dc1", &nowhere, vec![], 404),
        ("dc1", "/nothing", vec![], 404),
        ("dc1", &objects, vec!["--request", "DELETE"], 405),
        ("dc1", "/service-info", vec!["--request", "POST"], 405),
    ];
    for (who, path, more, wanted) in cases {
        let more = [&["--include"], &more[..]].concat();
        let (status, said) = site.door.status(who, &format!("{BASE}{path}"), &more)?;
        let (head, body) = said.split_once("\r\n\r\n").context("a head")?;
        let head = head.to_lowercase();
        let error: Value = serde_json::from_str(body)?;
        ensure!(status == wanted && error["status_code"] == wanted, "{path} {more:?}: {said}");
        ensure!(error["msg"].as_str().is_some_and(|message| !message.is_empty()), "{path}: {error}");
        ensure!(error.as_object().is_some_and(|error| error.len() == 2), "{path}: {error}");
        ensure!(head.contains("\r\ncontent-type: application/json"), "{head}");
        ensure!(status != 401 || head.contains("\r\nwww-authenticate: bearer"), "{head}");
        ensure!(status != 405 || head.contains("\r\nallow: "), "{head}");
    }
    // Whoever is no receiver is told so, whatever they ask for.
    let admin =
        kentai_engine::scheduler::Actor { name: "root".into(), roles: ["admin".into()].into(), ..Default::default() };
    let wish = Request::NewToken {
        owner: "dc1-robot".into(),
        label: String::new(),
        scopes: vec!["receipt".into()],
        expires_us: None,
        made: Default::default(),
    };
    let narrow = site.house.handle().center(wish, &admin).await?.secret.context("told once")?.0;
    let narrow = format!("Authorization: Bearer {narrow}");
    for path in [&objects, "/objects/none", &access] {
        let (status, said) = site.door.status("", &format!("{BASE}{path}"), &["--header", &narrow])?;
        ensure!(status == 403, "{path}: {status} {said}");
    }
    site.check().await
}
