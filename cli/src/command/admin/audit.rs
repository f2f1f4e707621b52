//! `admin audit export|verify|list`

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::audit::export::{EventLine, Export};
use kentai_engine::clock;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::audit::public_key;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::store::read::Reader;
use kentai_engine::store::rows::Event;
use serde_json::json;

use super::{answer, may, time};
use crate::access::{self, Door};
use crate::command::center::moment;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, shortened, table};
use crate::site::Site;
use crate::times::Zone;

/// Events read at once.
const AT_ONCE: i64 = 1_000;
/// What a cell shows of what was said.
const WIDTH: usize = 80;

/// What was done, by whom, in which role.
#[derive(Subcommand, Debug)]
pub(crate) enum Audit {
    /// Write the whole log as a file that proves itself
    Export {
        /// File; absent: standard output
        file: Option<PathBuf>,
    },
    /// Check such a file; needs no site
    Verify {
        /// File
        file: PathBuf,
        /// The site's public key (a file, or its 64 digits), got from elsewhere
        #[arg(long)]
        key: Option<String>,
    },
    /// Show what was done
    List {
        /// Only about this specimen
        #[arg(long)]
        specimen: Option<String>,
        /// Only by this person or service
        #[arg(long)]
        actor: Option<String>,
        /// Only from this date or moment on
        #[arg(long, value_parser = moment)]
        since: Option<i64>,
    },
}

impl Audit {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        may(site, Action::ReadAudit)?;
        match self {
            Self::Export { file } => export(site, file.as_deref(), output).await,
            Self::List { specimen, actor, since } => list(site, specimen, actor, since, output).await,
            Self::Verify { file, key } => verify(&file, key.as_deref(), output),
        }
    }
}

async fn export(site: &Site, file: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
    let door = Door::open(site).await?;
    let written = match file {
        Some(path) => write_file(site, &door, path).await,
        None => write(site, &door, std::io::stdout().lock()).await.map(|(_, events)| events),
    };
    door.close().await?;
    let events = written?;
    output.say(format!(
        "{events} events, the last line signed with the key of {}",
        public_key(&site.directory).display()
    ));
    Ok(Exit::Done)
}

async fn write_file(site: &Site, door: &Door, path: &Path) -> anyhow::Result<i64> {
    let file = File::create_new(path).with_context(|| format!("make {}", path.display()))?;
    let (file, events) = write(site, door, BufWriter::new(file)).await?;
    file.get_ref().sync_all().with_context(|| format!("write {}", path.display()))?;
    Ok(events)
}

/// The whole log until now. That it is taken along is the first thing that is written down.
async fn write<W: Write>(site: &Site, door: &Door, to: W) -> anyhow::Result<(W, i64)> {
    door.center(Request::AuditRead { what: "export".into() }).await?;
    let reader = access::reader(site).await?;
    let key = std::fs::read_to_string(public_key(&site.directory)).context("read the site's public key")?;
    let key = Public::parse(&key).context("the site's public key is none")?;
    let head = reader.head().await?.0;
    let mut export = Export::begin(to, &site.config.site, &key, clock::now())?;
    let mut after = 0;
    while after < head {
        for event in reader.log_after(after, AT_ONCE.min(head - after)).await? {
            after = event.seq;
            export.event(&line(event))?;
        }
    }
    let answer = door.center(Request::AuditSign { stand: export.stand(clock::now()) }).await?;
    let signed = answer.signed.context("the engine signed nothing")?;
    Ok((export.finish(&signed)?, head))
}

fn line(event: Event) -> EventLine {
    let Event { seq, stream, n, at_us, kind, subject, actor, role, body, hash } = event;
    EventLine { seq, stream, n, at_us, kind, subject, actor, role, body, hash }
}

/// Checks a file, with nothing but the file and the key.
pub(super) fn verify(file: &Path, key: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let key = key.map(public).transpose()?;
    let from = File::open(file)
        .map_err(|error| Stop::new(Exit::NotFound, format!("{} cannot be read: {error}", file.display())))?;
    match kentai_engine::audit::verify::verify(BufReader::new(from), key.as_ref()) {
        Ok(found) if output.json => output.json(&json!({ "ok": true, "found": found })),
        Ok(found) => {
            let (events, at) = (found.events, time(found.at_us));
            output.line(format!("{}: {events} events of {}, unchanged since {at}", file.display(), found.site));
            if key.is_none() {
                output.say("the key is the file's own: compare it with the site's, or give --key");
            }
        }
        Err(error) => {
            if output.json {
                output.json(&json!({ "ok": false, "line": error.line, "what": error.what.to_string() }));
            } else {
                output.line(format!("{}: {error}", file.display()));
            }
            return Ok(Exit::CheckFailed);
        }
    }
    Ok(Exit::Done)
}

fn public(text: &str) -> anyhow::Result<Public> {
    let bad = || Stop::new(Exit::Usage, format!("`{}` is no public key, and no file with one", text.escape_debug()));
    let parsed = Public::parse(text).or_else(|| Public::parse(&std::fs::read_to_string(text).ok()?));
    Ok(parsed.ok_or_else(bad)?)
}

async fn list(
    site: &Site,
    specimen: Option<String>,
    actor: Option<String>,
    since: Option<i64>,
    output: Output,
) -> anyhow::Result<Exit> {
    let filter = json!({ "specimen": specimen, "actor": actor, "since": since.map(time) });
    answer(site, Request::AuditRead { what: format!("list {filter}") }).await?;
    let reader = access::reader(site).await?;
    let is_wanted = |event: &Event| {
        let about = |id: &String| event.subject == *id || event.stream == format!("specimen:{id}");
        specimen.as_ref().is_none_or(about)
            && actor.as_ref().is_none_or(|name| event.actor == *name)
            && since.is_none_or(|at| event.at_us >= at)
    };
    let events = wanted(&reader, is_wanted).await?;
    if output.json {
        let items: Vec<EventLine> = events.into_iter().map(line).collect();
        output.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let rows = events.into_iter().map(|event| {
        let (at, body) = (zone.show(&time(event.at_us)), shortened(&plain(&event.body), WIDTH));
        vec![event.seq.to_string(), at, event.actor, event.role, event.kind, event.stream, body]
    });
    output.line(table(&["event", &zone.head("at"), "by", "role", "what", "about", "more"], rows));
    Ok(Exit::Done)
}

async fn wanted(reader: &Reader, is_wanted: impl Fn(&Event) -> bool) -> anyhow::Result<Vec<Event>> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = reader.log_after(after, AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.seq;
        found.extend(page.into_iter().filter(|event| is_wanted(event)));
    }
}
