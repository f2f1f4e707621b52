//! `kentai doctor`: can this machine and this site do their work? Each line with its remedy; nothing is changed.

mod place;
mod settings;
mod sign_in;

use std::path::Path;
use std::time::Duration;

use kentai_engine::port::executor::Executor;
use kentai_engine::store::pool::Pool;
use kentai_workflows::resources::format_size;

use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::{self, Machine, Site};
use crate::{access, assemble};

/// An executor that is silent for longer is not reachable, whatever it does.
const PING: Duration = Duration::from_secs(5);
/// The project began after this second: a clock before it is wrong.
const BEGAN_S: i64 = 1_760_000_000;
/// A file of the site that is so much younger than now shows a clock that went back.
const AHEAD: Duration = Duration::from_secs(60);

/// How a look went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warn,
    Fail,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// What was looked at, what was found, what helps.
#[derive(Debug, serde::Serialize)]
struct Line {
    what: String,
    status: Status,
    found: String,
    remedy: String,
}

fn line(what: impl Into<String>, status: Status, found: impl Into<String>, remedy: impl Into<String>) -> Line {
    Line { what: what.into(), status, found: found.into(), remedy: remedy.into() }
}

fn ok(what: impl Into<String>, found: impl Into<String>) -> Line {
    line(what, Status::Ok, found, "")
}

fn warn(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Line {
    line(what, Status::Warn, found, remedy)
}

fn fail(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Line {
    line(what, Status::Fail, found, remedy)
}

/// Looks at everything.
pub(crate) async fn doctor(directory: &Path, output: Output) -> anyhow::Result<Exit> {
    let mut lines = vec![own_binary(), machine(), clock()];
    match Site::open(directory) {
        Ok(site) => lines.extend(look_at(&site).await),
        Err(site::Error::Missing(path)) => {
            let remedy = format!("kentai init {}", path.display());
            lines.push(fail("site", format!("there is none at {}", path.display()), remedy));
        }
        Err(error) => {
            lines.push(fail(
                "site file",
                format!("{:#}", anyhow::Error::from(error)),
                "correct kentai.yaml, or the variable",
            ));
        }
    }
    let failed = lines.iter().any(|line| line.status == Status::Fail);
    if output.json {
        output.json(&lines);
    } else {
        let cells = |line: &Line| {
            vec![line.what.clone(), line.status.word().to_owned(), line.found.clone(), line.remedy.clone()]
        };
        output.line(table(&["what", "status", "found", "remedy"], lines.iter().map(cells)));
    }
    Ok(if failed { Exit::Unexpected } else { Exit::Done })
}

async fn look_at(site: &Site) -> Vec<Line> {
    let mut lines = vec![ok("site", format!("`{}` at {}", site.config.site, site.directory.display()))];
    lines.extend(settings::look(site));
    lines.extend(place::look(site));
    lines.extend(database(site).await);
    lines.push(engine(site).await);
    lines.extend(executors(site).await);
    lines.extend(sign_in::look(site).await);
    lines
}

fn own_binary() -> Line {
    if kentai_executors::check_static() {
        return ok("this program", format!("static, version {}", env!("CARGO_PKG_VERSION")));
    }
    let remedy = "build it with the project's .cargo/config.toml, and without RUSTFLAGS of your own";
    fail("this program", "it needs libraries that an image may not have", remedy)
}

fn machine() -> Line {
    let machine = Machine::look();
    let memory = format_size(machine.memory_bytes >> 20 << 20);
    ok("machine", format!("{} cores, {memory} for tools", machine.cpus))
}

fn clock() -> Line {
    let now = jiff::Timestamp::now();
    if now.as_second() < BEGAN_S {
        return fail("clock", now.to_string(), "set the machine's clock (NTP): every event carries its time");
    }
    ok("clock", format!("{now:.0}"))
}

async fn database(site: &Site) -> Vec<Line> {
    let path = site.database();
    if !path.exists() {
        return vec![ok("database", "none yet: the first run makes it")];
    }
    let remedy = "look at its permissions and its disk; else restore it from a backup";
    let about = match Pool::open_read_only(&path).await {
        Ok(pool) => pool.about().await,
        Err(error) => Err(error),
    };
    let mut lines = vec![match about {
        Ok((sqlite, version)) => ok("database", format!("opens; SQLite {sqlite}, schema {version}")),
        Err(error) => fail("database", format!("{:#}", anyhow::Error::from(error)), remedy),
    }];
    let written = std::fs::metadata(&path).and_then(|facts| facts.modified());
    let ahead = written.ok().and_then(|at| at.duration_since(std::time::SystemTime::now()).ok());
    if ahead.is_some_and(|ahead| ahead > AHEAD) {
        let found = "the database was written in the future";
        lines.push(fail("clock", found, "the clock went back: set it (NTP) before anything runs"));
    }
    lines
}

async fn engine(site: &Site) -> Line {
    match crate::client::Client::connect(&site.socket()).await {
        Ok(Some(_)) => ok("engine", "one runs and answers on the socket"),
        Ok(None) if access::engine_at_work(site) => {
            warn("engine", "one runs and does not answer", "wait for its end, or look at its output")
        }
        Ok(None) => ok("engine", "none runs"),
        Err(error) => warn("engine", error.to_string(), "use the account that owns the site"),
    }
}

async fn executors(site: &Site) -> Vec<Line> {
    let hands = match assemble::executors(site, None) {
        Ok(hands) => hands,
        Err(error) => return vec![fail("executors", error.to_string(), "correct `executors:` in kentai.yaml")],
    };
    if hands.is_empty() {
        return vec![fail("executors", "none", "name one under `executors:` in kentai.yaml")];
    }
    let mut lines = Vec::new();
    for (place, one) in hands.iter().enumerate() {
        lines.push(ping(one.as_ref(), place == 0).await);
    }
    lines
}

async fn ping(hands: &dyn Executor, is_first: bool) -> Line {
    let what = format!("executor {}", hands.name());
    let refused = match tokio::time::timeout(PING, hands.ping()).await {
        Ok(Ok(version)) => return ok(what, version),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not answer".to_owned(),
    };
    let remedy = match hands.kind() {
        "docker" => "start the Docker engine and let this user reach its socket, or use --executor process",
        "slurm" => "look whether `sinfo` answers this user here; until it does, steps wait or go to other executors",
        _ => "look at `executors:` in kentai.yaml",
    };
    // The first says whether steps have images, and is asked first: without it little runs.
    if is_first { fail(what, refused, remedy) } else { warn(what, refused, remedy) }
}
