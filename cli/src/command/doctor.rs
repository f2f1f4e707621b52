//! `kentai doctor`: can this machine and this site do their work? Each line with its remedy.

use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::{Machine, Site};
use crate::{access, assemble};

/// Free space below which a genome does not fit any more.
const DISK_LOW: u64 = 50 << 30;
/// Free inodes below which the store stops early.
const INODES_LOW: u64 = 100_000;

#[derive(Serialize)]
struct Line {
    what: String,
    verdict: &'static str,
    found: String,
    remedy: String,
}

fn line(what: &str, verdict: &'static str, found: impl Into<String>, remedy: &str) -> Line {
    Line {
        what: what.to_owned(),
        verdict,
        found: found.into(),
        remedy: if verdict == "ok" { String::new() } else { remedy.to_owned() },
    }
}

/// Looks at everything; changes nothing.
pub(crate) async fn doctor(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let mut lines =
        vec![own_binary(), disk(site), inodes(site), writable(site), clock(), memory(), database(site).await];
    lines.extend(executors(site).await);
    lines.extend(targets(site));
    let failed = lines.iter().any(|line| line.verdict == "FAIL");
    if output.json {
        output.json(&lines);
    } else {
        let rows = lines
            .iter()
            .map(|line| vec![line.what.clone(), line.verdict.to_owned(), line.found.clone(), line.remedy.clone()]);
        output.line(table(&["what", "verdict", "found", "remedy"], rows));
    }
    Ok(if failed { Exit::Unexpected } else { Exit::Done })
}

fn own_binary() -> Line {
    let is_static = kentai_executors::check_static();
    let verdict = if is_static { "ok" } else { "FAIL" };
    let found = if is_static { "static" } else { "needs libraries that an image may not have" };
    line(
        "this program",
        verdict,
        found,
        "build it with the project's .cargo/config.toml, without RUSTFLAGS of your own",
    )
}

fn disk(site: &Site) -> Line {
    match rustix::fs::statvfs(&site.directory) {
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let verdict = if free < DISK_LOW { "warn" } else { "ok" };
            line(
                "disk",
                verdict,
                format!("{} free", kentai_workflows::resources::format_size(free >> 20 << 20)),
                "a 30x genome takes about 150 GiB while it runs",
            )
        }
        Err(error) => line("disk", "FAIL", error.to_string(), "look at the site's file system"),
    }
}

fn inodes(site: &Site) -> Line {
    match rustix::fs::statvfs(&site.directory) {
        // Some file systems make inodes as they go and say zero.
        Ok(found) if found.f_files > 0 && found.f_favail < INODES_LOW => line(
            "inodes",
            "warn",
            format!("{} free", found.f_favail),
            "each attempt takes about ten; make room or choose another file system",
        ),
        Ok(found) => line("inodes", "ok", format!("{} free", found.f_favail), ""),
        Err(error) => line("inodes", "FAIL", error.to_string(), "look at the site's file system"),
    }
}

fn writable(site: &Site) -> Line {
    match tempfile::NamedTempFile::new_in(&site.directory) {
        Ok(_) => line("site directory", "ok", site.directory.display().to_string(), ""),
        Err(error) => line("site directory", "FAIL", error.to_string(), "give the engine's user write permission"),
    }
}

fn clock() -> Line {
    // Nothing here was made before the project existed.
    let now = jiff::Timestamp::now();
    let sane = now.as_second() > 1_760_000_000;
    line(
        "clock",
        if sane { "ok" } else { "FAIL" },
        now.to_string(),
        "set the machine's clock (NTP): every event carries its time",
    )
}

fn memory() -> Line {
    let machine = Machine::look();
    let found = format!(
        "{} cores, {}",
        machine.cpus,
        kentai_workflows::resources::format_size(machine.memory_bytes >> 20 << 20)
    );
    line("machine", "ok", found, "")
}

async fn database(site: &Site) -> Line {
    if !site.database().exists() {
        return line("database", "ok", "none yet; the first run makes it", "");
    }
    match access::reader(site).await {
        Ok(_) => line("database", "ok", "opens", ""),
        Err(error) => {
            line("database", "FAIL", format!("{error:#}"), "restore it from a backup, or look at its permissions")
        }
    }
}

async fn executors(site: &Site) -> Vec<Line> {
    let hands = match assemble::executors(site, None) {
        Ok(hands) => hands,
        Err(error) => return vec![line("executors", "FAIL", error.to_string(), "correct `executors:` in kentai.yaml")],
    };
    let mut lines = Vec::new();
    for one in hands {
        let what = format!("executor {}", one.name());
        lines.push(match one.ping().await {
            Ok(version) => line(&what, "ok", version, ""),
            Err(error) => {
                line(&what, "warn", error.to_string(), "start the Docker engine, or use `--executor process`")
            }
        });
    }
    lines
}

fn targets(site: &Site) -> Vec<Line> {
    let one = |(name, target): (&String, &crate::config::Target)| {
        let path = site.directory.join(&target.path);
        let what = format!("target {name}");
        let there = path.is_dir() || target.path.as_os_str() == "deliveries";
        line(
            &what,
            if there { "ok" } else { "warn" },
            path.display().to_string(),
            "make the directory, or mount it: hand-offs wait until it is there",
        )
    };
    site.config.targets.iter().map(one).collect()
}
